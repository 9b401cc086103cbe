import { SEARCH_SYNTAX, SearchBox } from "../ui/search-box";
import { Segments } from "../ui/segments";
import { SESSION_SIGNS, type SessionStatus } from "../ui/status";
import { type Filters, STATUSES, type Whose } from "./filters";
import type { PeopleQuery } from "./operations";

const WHOSE: { id: Whose; label: string }[] = [
  { id: "all", label: "All" },
  { id: "team", label: "My team" },
  { id: "mine", label: "Mine" },
];

export function FilterBar({
  filters,
  onChange,
  people,
}: {
  filters: Filters;
  onChange: (filters: Filters) => void;
  people: PeopleQuery | undefined;
}) {
  const hasTeam = people?.viewer.user?.team != null;
  const change = (changes: Partial<Filters>) => onChange({ ...filters, ...changes });
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <Segments
        label="Whose sessions"
        items={WHOSE.filter(({ id }) => id !== "team" || hasTeam)}
        chosen={filters.whose}
        onChoose={(whose) => change({ whose, assigneeId: "" })}
      />
      {filters.whose !== "mine" && (
        <select
          aria-label="Assignee"
          value={filters.assigneeId}
          onChange={(event) => change({ assigneeId: event.target.value })}
          className="min-h-8 max-w-48 rounded border border-edge bg-panel px-2"
        >
          <option value="">Anyone</option>
          {people?.members
            .filter(({ isActive, id }) => isActive || id === filters.assigneeId)
            .map(({ id, displayName }) => (
              <option key={id} value={id}>
                {displayName}
              </option>
            ))}
        </select>
      )}
      <Statuses chosen={filters.status} onChange={(status) => change({ status })} />
      <SearchBox
        label="Search sessions"
        value={filters.search}
        onSearch={(search) => change({ search })}
        hint={SEARCH_SYNTAX}
        className="ml-auto w-full sm:w-72"
      />
    </div>
  );
}

function Statuses({
  chosen,
  onChange,
}: {
  chosen: SessionStatus[];
  onChange: (status: SessionStatus[]) => void;
}) {
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="sr-only">Status</legend>
      {STATUSES.map((status) => (
        <button
          key={status}
          type="button"
          aria-pressed={chosen.includes(status)}
          onClick={() => onChange(toggled(chosen, status))}
          className="min-h-8 rounded border border-line px-2.5 transition-colors hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft"
        >
          <StatusName status={status} />
        </button>
      ))}
    </fieldset>
  );
}

function StatusName({ status }: { status: SessionStatus }) {
  const { icon: Icon, word, ink } = SESSION_SIGNS[status];
  return (
    <span className="flex items-center gap-1.5 text-xs">
      <Icon aria-hidden strokeWidth={2.25} className={`size-3.5 ${ink}`} />
      {word}
    </span>
  );
}

function toggled(chosen: SessionStatus[], status: SessionStatus): SessionStatus[] {
  return STATUSES.filter((each) => chosen.includes(each) !== (each === status));
}
