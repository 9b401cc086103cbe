import { Clock, ClockAlert } from "lucide-react";
import { useNow } from "../ui/clock";
import { duration, exactly } from "../ui/time";

interface Sla {
  dueAt: string;
  state: "ON_TRACK" | "AT_RISK" | "BREACHED";
}

const LOOKS: Record<Sla["state"], string> = {
  ON_TRACK: "text-ink-2",
  AT_RISK: "rounded bg-revived-soft px-1.5 py-0.5 font-medium text-revived",
  BREACHED: "rounded bg-dead-end-soft px-1.5 py-0.5 font-medium text-dead-end",
};

/** Until when it should be claimed. */
export function Target({ sla, isParked }: { sla: Sla | null; isParked: boolean }) {
  const now = useNow();
  if (!sla)
    return <span className="whitespace-nowrap text-ink-3">{isParked ? "stopped" : "none"}</span>;
  const seconds = Math.round((Date.parse(sla.dueAt) - now) / 1000);
  const state = seconds < 0 ? "BREACHED" : sla.state;
  const left = duration(Math.abs(seconds));
  return (
    <time
      dateTime={sla.dueAt}
      title={exactly(sla.dueAt)}
      className={`inline-flex items-center gap-1 whitespace-nowrap tabular-nums ${LOOKS[state]}`}
    >
      {state === "ON_TRACK" && `in ${left}`}
      {state === "AT_RISK" && (
        <>
          <Clock aria-hidden className="size-3.5" />
          {`at risk, ${left} left`}
        </>
      )}
      {state === "BREACHED" && (
        <>
          <ClockAlert aria-hidden className="size-3.5" />
          {`breached ${left} ago`}
        </>
      )}
    </time>
  );
}
