import { useEffect, useRef } from "react";
import { useLive } from "../graph/use-live";
import { QueueCountEventsDocument, QueueCountsDocument } from "./operations";
import { domainsOf, type View } from "./views";

/** A busy queue is counted anew this often and no oftener. */
const PAUSE_MS = 2_000;

/** How many wait in each view, and in which domains, whatever is shown. */
export function useQueueCounts(teamId: string | undefined): {
  counts: Partial<Record<View, number>>;
  domains: { domain: string; count: number }[];
  /** More wait than were looked at for their domains. */
  isCut: boolean;
} {
  const timer = useRef<number | undefined>(undefined);
  const { data, reload } = useLive({
    query: QueueCountsDocument,
    variables: { teamId },
    events: QueueCountEventsDocument,
    eventVariables: {},
    onEvent() {
      timer.current ??= window.setTimeout(() => {
        timer.current = undefined;
        reload();
      }, PAUSE_MS);
    },
  });
  useEffect(() => () => window.clearTimeout(timer.current), []);
  if (!data) return { counts: {}, domains: [], isCut: false };
  return {
    counts: {
      team: data.team.totalCount,
      all: data.all.totalCount,
      escalated: data.escalated.totalCount,
      parked: data.parked.totalCount,
      late: data.late.totalCount,
    },
    domains: domainsOf(data.all.edges.map(({ node }) => node.session.problemDomain)),
    isCut: data.all.pageInfo.hasNextPage,
  };
}
