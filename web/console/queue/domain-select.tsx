/** Among the domains that wait; the one that was chosen stays also when nothing of it waits any more. */
export function DomainSelect({
  domains,
  isCut,
  chosen,
  onChoose,
}: {
  domains: { domain: string; count: number }[];
  isCut: boolean;
  chosen: string;
  onChoose: (domain: string) => void;
}) {
  const isGone = chosen !== "" && !domains.some(({ domain }) => domain === chosen);
  return (
    <select
      aria-label="Domain"
      value={chosen}
      onChange={(event) => onChoose(event.target.value)}
      className="min-h-8 max-w-52 rounded border border-edge bg-panel px-2"
    >
      <option value="">All domains</option>
      {isGone && <option value={chosen}>{chosen}</option>}
      {domains.map(({ domain, count }) => (
        <option key={domain} value={domain}>
          {isCut ? domain : `${domain} (${count})`}
        </option>
      ))}
      {isCut && <option disabled>Of the first 100 that wait</option>}
    </select>
  );
}
