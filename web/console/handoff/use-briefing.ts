import { useEffect } from "react";
import { type CombinedError, useQuery } from "urql";
import { type BriefingFragment, HandoffBriefingDocument } from "./operations";

const AGAIN_MS = 15_000;
const HOPELESS_MS = 600_000;

/** What the receiver of a handoff should know. That the assistant has given up is not told, so it is asked for
 * while nothing has come. */
export function useBriefing(handoffId: string): {
  briefing: BriefingFragment | null;
  isComing: boolean;
  error: CombinedError | undefined;
  reload: () => void;
} {
  const [{ data, error }, execute] = useQuery({
    query: HandoffBriefingDocument,
    variables: { id: handoffId },
  });
  const briefing = (data?.node ?? null) as BriefingFragment | null;
  const isComing = briefing !== null && isBeingWritten(briefing);
  useEffect(() => {
    if (!isComing) return;
    const again = () => execute({ requestPolicy: "network-only" });
    const timer = window.setInterval(again, AGAIN_MS);
    return () => window.clearInterval(timer);
  }, [isComing, execute]);
  return { briefing, isComing, error, reload: () => execute({ requestPolicy: "network-only" }) };
}

function isBeingWritten({ briefing, preparationFailure, createdAt }: BriefingFragment): boolean {
  const age = Date.now() - Date.parse(createdAt);
  return briefing === null && preparationFailure === null && age < HOPELESS_MS;
}
