import { isOver } from "../shell/access";
import type { SessionHeadFragment } from "./operations";

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
