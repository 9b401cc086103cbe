import { useCallback, useEffect, useRef, useState } from "react";
import { useViewer } from "../shell/viewer";
import type { QueueEventsSubscription, QueueRowFragment } from "./operations";
import { problemOf } from "./problem";

/** What arrives within this time is told in one sentence. */
const PAUSE_MS = 3_000;

/** What has come into the queue while somebody looks at it. */
export function useArrivals(): {
  ids: ReadonlySet<string>;
  /** To be read out. */
  news: string;
  notice: (event: QueueEventsSubscription) => void;
} {
  const viewer = useViewer();
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [news, setNews] = useState("");
  const untold = useRef<QueueRowFragment[]>([]);
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const notice = useCallback(
    ({ queueChanged: event }: QueueEventsSubscription) => {
      if (event.__typename !== "HandoffCreated") return;
      const { handoff } = event;
      if (handoff.state !== "OPEN" || handoff.handedOffBy.id === viewer.id) return;
      setIds((before) => new Set(before).add(handoff.id));
      untold.current.push(handoff);
      timer.current ??= window.setTimeout(() => {
        setNews(inOneSentence(untold.current));
        untold.current = [];
        timer.current = undefined;
      }, PAUSE_MS);
    },
    [viewer.id],
  );
  return { ids, news, notice };
}

export function inOneSentence(arrived: QueueRowFragment[]): string {
  const [first] = arrived;
  if (!first) return "";
  if (arrived.length > 1) return `${arrived.length} more are waiting.`;
  const what = first.intent === "ESCALATE" ? "Escalated" : "Parked";
  return `${what}${first.priority === "ELEVATED" ? ", elevated" : ""}: ${problemOf(first)}`;
}
