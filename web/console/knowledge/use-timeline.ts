import { useEffect, useState } from "react";
import { type CombinedError, useClient } from "urql";
import { TimelineDocument, type TimelineQuery } from "./operations";

export type TimelineEvent = NonNullable<
  TimelineQuery["session"]
>["timeline"]["edges"][number]["node"];

export interface Timeline {
  events: TimelineEvent[];
  /** False where what happened first was deleted for its age. */
  isComplete: boolean;
  isLoading: boolean;
  error: CombinedError | undefined;
  reload: () => void;
}

const NOTHING: Omit<Timeline, "reload"> = {
  events: [],
  isComplete: true,
  isLoading: true,
  error: undefined,
};

/** All that happened in a session up to now, page after page. */
export function useTimeline(sessionId: string): Timeline {
  const client = useClient();
  const [timeline, setTimeline] = useState(NOTHING);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isStale = false;
    const pageOf = (after: string | null) =>
      client.query(TimelineDocument, { id: sessionId, after }, { requestPolicy: "network-only" });
    async function read(): Promise<void> {
      let after: string | null = null;
      let events: TimelineEvent[] = [];
      while (!isStale) {
        const { data, error } = await pageOf(after);
        if (isStale) return;
        const page = data?.session?.timeline;
        if (!page) return setTimeline((known) => ({ ...known, isLoading: false, error }));
        events = [...events, ...page.edges.map(({ node }) => node)];
        const isLoading = page.pageInfo.hasNextPage;
        setTimeline({ events, isComplete: page.isComplete, isLoading, error: undefined });
        if (!isLoading) return;
        after = page.pageInfo.endCursor;
      }
    }
    void read();
    return () => {
      isStale = true;
    };
  }, [client, sessionId, attempt]);
  return { ...timeline, reload: () => setAttempt(attempt + 1) };
}
