import { useEffect, useRef } from "react";
import { useClient, useQuery } from "urql";
import { BranchMessagesDocument } from "../graph/operations";
import { type BranchRowFragment, ConversationsDocument } from "./operations";

/** Branches whose messages were loaded since the page was opened or its feed began anew. From then on events
 * keep them right, and looking at them needs no request. */
export type Fresh = Set<string>;

/** As many as one document may cost. */
const AT_ONCE = 3;
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
    wasRevived: data?.branch?.id === branchId && data.branch.revivals.length > 0,
    error,
    reload: () => reload({ requestPolicy: "network-only" }),
  };
}

/** Loads what the viewer may look at next, in this order, while nothing else is going on. */
export function usePrefetch(wanted: BranchRowFragment[], fresh: Fresh): void {
  const client = useClient();
  const missing = wanted.filter(({ id, messageCount }) => messageCount > 0 && !fresh.has(id));
  const list = missing.map(({ id }) => id).join();
  useEffect(() => {
    let isWanted = true;
    async function work(queue: string[]): Promise<void> {
      while (queue.length > 0 && isWanted) {
        const ids = queue.splice(0, AT_ONCE).filter((id) => !fresh.has(id));
        if (ids.length === 0) continue;
        const answer = await client
          .query(ConversationsDocument, { ids }, { requestPolicy: "network-only" })
          .toPromise();
        if (!answer.data) return;
        for (const id of ids) fresh.add(id);
        const cost = answer.extensions?.cost as { limit: number; remaining: number } | undefined;
        if (cost && cost.remaining < cost.limit * RESERVE) return;
      }
    }
    const timer = window.setTimeout(() => void work(list ? list.split(",") : []), PAUSE_MS);
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [list, client, fresh]);
}
