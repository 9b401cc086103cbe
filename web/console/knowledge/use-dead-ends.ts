import { useEffect, useState } from "react";
import { useClient } from "urql";
import { DeadEndsDocument } from "./operations";

const MOST_PAGES = 10;

export interface DeadEnd {
  at: string;
  reason: string;
}

/** When and why a branch was given up, oldest first. A branch tells only its status of now, so it is read
 * from what happened. */
export function useDeadEnds(sessionId: string | undefined, branchId: string, revivals: number) {
  const client = useClient();
  const [deadEnds, setDeadEnds] = useState<DeadEnd[]>([]);
  useEffect(() => {
    if (sessionId === undefined || revivals === 0) return;
    let isStale = false;
    async function read(id: string): Promise<void> {
      const found: DeadEnd[] = [];
      let after: string | null = null;
      for (let page = 0; page < MOST_PAGES && !isStale; page++) {
        const timeline = await pageOf(id, after);
        for (const { node } of timeline?.edges ?? []) {
          if (node.__typename !== "BranchStatusChanged" || node.branch.id !== branchId) continue;
          if (node.status === "DEAD_END" && node.reason) {
            found.push({ at: node.occurredAt, reason: node.reason });
          }
        }
        if (!timeline?.pageInfo.hasNextPage) break;
        after = timeline.pageInfo.endCursor;
      }
      if (!isStale) setDeadEnds(found);
    }
    async function pageOf(id: string, after: string | null) {
      const { data } = await client.query(
        DeadEndsDocument,
        { sessionId: id, after },
        { requestPolicy: "network-only" },
      );
      return data?.session?.timeline;
    }
    void read(sessionId);
    return () => {
      isStale = true;
    };
  }, [client, sessionId, branchId, revivals]);
  return deadEnds;
}

/** The one that a revival ended. */
export function endedBy(deadEnds: DeadEnd[], revivedAt: string): DeadEnd | undefined {
  return deadEnds.findLast(({ at }) => Date.parse(at) <= Date.parse(revivedAt));
}
