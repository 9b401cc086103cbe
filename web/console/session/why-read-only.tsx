import type { Identity } from "../../shared/auth";
import type { SessionHeadFragment } from "./operations";

/** The assignee writes, and leads and admins do, until the session is over; the server has the last word. */
export function mayWrite(session: SessionHeadFragment, viewer: Identity): boolean {
  if (isOver(session)) return false;
  return viewer.role !== "ENGINEER" || session.assignee.id === viewer.id;
}

/** In the composer's place. */
export function WhyReadOnly({ session }: { session: SessionHeadFragment }) {
  return (
    <p className="mx-auto w-full max-w-[690px] px-4 pb-4 text-center text-xs text-ink-2">
      {why(session)}
    </p>
  );
}

function why(session: SessionHeadFragment): string {
  if (isOver(session)) return "This session is over. Reopen it to go on.";
  if (session.openHandoff) return "It waits in the queue. Claim it to go on with it.";
  return `${session.assignee.displayName} works on this. You see everything as it happens.`;
}

function isOver({ status }: SessionHeadFragment): boolean {
  return status === "RESOLVED" || status === "ABANDONED";
}
