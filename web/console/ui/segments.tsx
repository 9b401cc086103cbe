/** One of a few ways to look at the same list. */
export function Segments<Id extends string>({
  label,
  items,
  chosen,
  onChoose,
}: {
  label: string;
  items: { id: Id; label: string; count?: number | undefined }[];
  chosen: Id;
  onChoose: (id: Id) => void;
}) {
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="sr-only">{label}</legend>
      {items.map((item) => (
        <button
          key={item.id}
          type="button"
          aria-pressed={item.id === chosen}
          onClick={() => onChoose(item.id)}
          className="min-h-8 rounded px-2.5 text-ink-2 transition-colors hover:bg-hover aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-ink"
        >
          {item.label}
          {item.count !== undefined && (
            <span className="ml-1.5 font-normal text-ink-2 tabular-nums">{item.count}</span>
          )}
        </button>
      ))}
    </fieldset>
  );
}
