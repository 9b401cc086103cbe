import { useEffect, useRef } from "react";
import { useClient, useQuery } from "urql";
import { BranchMessagesDocument } from "../graph/operations";
import type { BranchRowFragment } from "./operations";

/** Branches whose messages were loaded since the page was opened or its feed began anew. From then on events
 * keep them right, and looking at them needs no request. */
export type Fresh = Set<string>;

const AT_ONCE = 2;
const PAUSE_MS = 250;
/** Of what the viewer may ask for in a minute this much is left to what they do. */
const RESERVE = 0.6;

/** Of a branch on which nothing was said there is nothing to ask for. */
export function useConversation({ id: branchId, messageCount }: BranchRowFragment, fresh: Fresh) {
  const isFresh = useRef<{ branchId: string; is: boolean }>(undefined);
  if (isFresh.current?.branchId !== branchId) {
    isFresh.current = { branchId, is: fresh.has(branchId) };
  }
  const [{ data, error, fetching, stale }, reload] = useQuery({
    query: BranchMessagesDocument,
    variables: { id: branchId },
    pause: messageCount === 0,
    requestPolicy: isFresh.current.is ? "cache-first" : "cache-and-network",
  });
  const isLoaded = data?.branch?.id === branchId && !fetching && !stale;
  useEffect(() => {
    if (isLoaded) fresh.add(branchId);
  }, [isLoaded, branchId, fresh]);
  return {
    messages: data?.branch?.id === branchId ? data.branch.messages : undefined,
    error,
    reload: () => reload({ requestPolicy: "network-only" }),
  };
}

/** Loads what the viewer may look at next, in this order, while nothing else is going on. */
export function usePrefetch(wanted: BranchRowFragment[], fresh: Fresh): void {
  const client = useClient();
  const missing = wanted.filter(({ id, messageCount }) => messageCount > 0 && !fresh.has(id));
  const ids = missing.map(({ id }) => id).join();
  useEffect(() => {
    let isWanted = true;
    const queue = ids ? ids.split(",") : [];
    async function work(): Promise<void> {
      for (let id = queue.shift(); id && isWanted; id = queue.shift()) {
        if (fresh.has(id)) continue;
        const answer = await client
          .query(BranchMessagesDocument, { id }, { requestPolicy: "network-only" })
          .toPromise();
        if (!answer.data?.branch) return;
        fresh.add(id);
        const cost = answer.extensions?.cost as { limit: number; remaining: number } | undefined;
        if (cost && cost.remaining < cost.limit * RESERVE) return;
      }
    }
    const timer = window.setTimeout(() => {
      for (let worker = 0; worker < AT_ONCE; worker += 1) void work();
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [ids, client, fresh]);
}
