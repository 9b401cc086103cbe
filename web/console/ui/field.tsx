import { type ComponentProps, type ReactNode, useId } from "react";

const BOX =
  "w-full rounded border border-edge bg-panel px-2.5 py-1.5 text-sm text-ink disabled:opacity-60 " +
  "aria-invalid:border-dead-end";

interface Labelled {
  label: string;
  /** What to know before one types. */
  hint?: ReactNode;
  /** Why the server did not take it. */
  problem?: string | undefined;
  className?: string;
}

type Attributes = { id: string; "aria-describedby"?: string; "aria-invalid"?: true };

function Frame({
  label,
  hint,
  problem,
  className = "",
  children,
}: Labelled & { children: (attributes: Attributes) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  const attributes: Attributes = { id };
  if (described) attributes["aria-describedby"] = described;
  if (problem) attributes["aria-invalid"] = true;
  return (
    <div className={`flex flex-col gap-1 ${className}`}>
      <label htmlFor={id} className="text-xs font-medium text-ink-2">
        {label}
      </label>
      {children(attributes)}
      {hint && (
        <p id={`${id}-hint`} className="text-xs text-ink-3">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} className="text-xs text-dead-end">
          {problem}
        </p>
      )}
    </div>
  );
}

export function TextField({
  label,
  hint,
  problem,
  className,
  ...rest
}: Labelled & Omit<ComponentProps<"input">, "className">) {
  return (
    <Frame label={label} hint={hint} problem={problem} className={className}>
      {(attributes) => <input type="text" {...rest} {...attributes} className={`${BOX} min-h-8`} />}
    </Frame>
  );
}

export function TextArea({
  label,
  hint,
  problem,
  className,
  ...rest
}: Labelled & Omit<ComponentProps<"textarea">, "className">) {
  return (
    <Frame label={label} hint={hint} problem={problem} className={className}>
      {(attributes) => (
        <textarea rows={3} {...rest} {...attributes} className={`${BOX} resize-y`} />
      )}
    </Frame>
  );
}

export function SelectField({
  label,
  hint,
  problem,
  className,
  ...rest
}: Labelled & Omit<ComponentProps<"select">, "className">) {
  return (
    <Frame label={label} hint={hint} problem={problem} className={className}>
      {(attributes) => <select {...rest} {...attributes} className={`${BOX} min-h-8`} />}
    </Frame>
  );
}

export function CheckField({
  label,
  className = "",
  ...rest
}: { label: ReactNode } & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className={`flex items-start gap-2 ${className}`}>
      <input id={id} type="checkbox" {...rest} className="mt-1 size-3.5 shrink-0 accent-accent" />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
