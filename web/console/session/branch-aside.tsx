import { Avatar } from "../ui/avatar";
import type { Presence } from "./use-presence";

const MOST = 3;

/** Beside a branch on the map: who looks at it, and whether something is new there. */
export function BranchAside({ people, unreadCount }: { people: Presence[]; unreadCount: number }) {
  const more = people.length - MOST;
  return (
    <>
      {people.length > 0 && (
        <span className="flex shrink-0 items-center -space-x-1.5">
          {people.slice(0, MOST).map(({ user }) => (
            <Avatar key={user.id} name={user.displayName} className="size-5 ring-1 ring-panel" />
          ))}
          {more > 0 && <span className="pl-2 text-xs text-ink-3">+{more}</span>}
        </span>
      )}
      {unreadCount > 0 && (
        <span
          role="img"
          aria-label={`${unreadCount} unread`}
          title={`${unreadCount} unread`}
          className="size-1.5 shrink-0 rounded-full bg-accent"
        />
      )}
    </>
  );
}
