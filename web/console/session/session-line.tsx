import { useState } from "react";
import { Avatar } from "../ui/avatar";
import { useNow } from "../ui/clock";
import { SessionState } from "../ui/status";
import { duration } from "../ui/time";
import type { SessionHeadFragment } from "./operations";

/** In one line: the domain, the ticket, how it stands, who has it, and for how long. */
export function SessionLine({ session }: { session: SessionHeadFragment }) {
  const { problemDomain, psaTicketId, assignee, status } = session;
  const about = [problemDomain, psaTicketId && `ticket ${psaTicketId}`].filter(Boolean).join(" · ");
  return (
    <>
      {about && <span dir="auto">{about}</span>}
      <SessionState status={status} />
      <span className="inline-flex items-center gap-1.5">
        <Avatar name={assignee.displayName} className="size-5" />
        <span className="max-xl:sr-only">{assignee.displayName}</span>
      </span>
      <Times session={session} />
    </>
  );
}

/** Counted by the server until it was asked, and from then on here. */
function Times({ session }: { session: SessionHeadFragment }) {
  const now = useNow(10_000);
  const { activeSeconds, parkedSeconds, status } = session;
  const [counted, setCounted] = useState({ activeSeconds, parkedSeconds, at: now });
  if (counted.activeSeconds !== activeSeconds || counted.parkedSeconds !== parkedSeconds) {
    setCounted({ activeSeconds, parkedSeconds, at: now });
  }
  const more = Math.round((now - counted.at) / 1000);
  const active = activeSeconds + (status === "ACTIVE" ? more : 0);
  const parked = parkedSeconds + (status === "PAUSED" || status === "ESCALATED" ? more : 0);
  return (
    <span className="tabular-nums max-lg:hidden">
      {duration(active)} worked{parked > 0 && `, ${duration(parked)} parked`}
    </span>
  );
}
