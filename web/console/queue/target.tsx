import { useNow } from "../ui/clock";
import { duration, exactly } from "../ui/time";

interface Sla {
  dueAt: string;
  state: "ON_TRACK" | "AT_RISK" | "BREACHED";
}

const INKS: Record<Sla["state"], string> = {
  ON_TRACK: "text-ink-2",
  AT_RISK: "text-revived",
  BREACHED: "text-dead-end",
};

/** Until when it should be claimed. */
export function Target({ sla, isParked }: { sla: Sla | null; isParked: boolean }) {
  const now = useNow();
  if (!sla) return <span className="text-ink-3">{isParked ? "stopped" : "none"}</span>;
  const seconds = Math.round((Date.parse(sla.dueAt) - now) / 1000);
  const state = seconds < 0 ? "BREACHED" : sla.state;
  return (
    <time
      dateTime={sla.dueAt}
      title={exactly(sla.dueAt)}
      className={`font-medium whitespace-nowrap tabular-nums ${INKS[state]}`}
    >
      {seconds < 0 ? `breached ${duration(-seconds)} ago` : `in ${duration(seconds)}`}
      {state === "AT_RISK" && <span className="block font-normal">at risk</span>}
    </time>
  );
}
