export function Tags({ tags }: { tags: string[] }) {
  return (
    <ul aria-label="Tags" className="flex flex-wrap gap-1.5 empty:hidden">
      {tags.map((tag) => (
        <li key={tag} dir="auto" className="rounded border border-line px-1.5 text-xs text-ink-2">
          {tag}
        </li>
      ))}
    </ul>
  );
}
