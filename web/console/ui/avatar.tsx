/** A person by their initials; the name is said and shown on hover. */
export function Avatar({ name, className = "" }: { name: string; className?: string }) {
  return (
    <span
      role="img"
      aria-label={name}
      title={name}
      className={`inline-flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft text-[10px] font-semibold text-accent ${className}`}
    >
      <span
        aria-hidden
        data-initials={initials(name)}
        className="before:content-[attr(data-initials)]"
      />
    </span>
  );
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return ends
    .map((word) => Array.from(word ?? "")[0] ?? "")
    .join("")
    .toUpperCase();
}
