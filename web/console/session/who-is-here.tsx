import { Avatar } from "../ui/avatar";
import type { Presence } from "./use-presence";

const MOST = 3;

/** Beside a branch on the map: who looks at it. */
export function WhoIsHere({ people }: { people: Presence[] }) {
  if (people.length === 0) return null;
  const more = people.length - MOST;
  return (
    <span className="flex shrink-0 items-center -space-x-1.5">
      {people.slice(0, MOST).map(({ user }) => (
        <Avatar key={user.id} name={user.displayName} className="size-5 ring-1 ring-panel" />
      ))}
      {more > 0 && <span className="pl-2 text-xs text-ink-3">+{more}</span>}
    </span>
  );
}

/** Above the composer: who writes a question here at the same time. */
export function WhoIsAsking({ people }: { people: Presence[] }) {
  const names = people.filter(({ isAsking }) => isAsking).map(({ user }) => user.displayName);
  return (
    <p role="status" className="min-h-5 text-xs text-ink-2">
      {names.length > 0 && `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} asking here`}
    </p>
  );
}
