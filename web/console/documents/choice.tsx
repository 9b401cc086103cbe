import { useId } from "react";

/** One of several, and what choosing it means. */
export function Choice({
  name,
  isChosen,
  onChoose,
  label,
  about,
}: {
  /** Of the group. */
  name: string;
  isChosen: boolean;
  onChoose: () => void;
  label: string;
  about: string;
}) {
  const id = useId();
  return (
    <div
      className={`flex items-start gap-2.5 rounded px-2 py-1.5 transition-colors ${isChosen ? "bg-accent-soft" : "hover:bg-hover"}`}
    >
      <input
        id={id}
        type="radio"
        name={name}
        checked={isChosen}
        onChange={onChoose}
        aria-describedby={`${id}-about`}
        className="mt-1 size-3.5 accent-accent"
      />
      <label htmlFor={id} className="flex flex-1 cursor-pointer flex-wrap items-baseline gap-x-2">
        <span className="font-medium">{label}</span>
        <span id={`${id}-about`} className="text-xs text-ink-2">
          {about}
        </span>
      </label>
    </div>
  );
}
