import { useEffect } from "react";
import { useClient, useSubscription } from "urql";
import { COMPOSER_ID, useDraft } from "./drafts";
import {
  LeaveSessionDocument,
  LookAtBranchDocument,
  PresenceChangedDocument,
  type PresenceChangedSubscription,
} from "./operations";

export type Presence = PresenceChangedSubscription["presenceChanged"]["presence"][number];

const HEARTBEAT_MS = 30_000;
const LINGER_MS = 700;

/** Who else has the session open, and where. */
export function usePresence(sessionId: string): Presence[] {
  const [{ data }] = useSubscription({ query: PresenceChangedDocument, variables: { sessionId } });
  return data?.presenceChanged.presence ?? [];
}

/** Keeps the viewer's place and shows it to the others for as long as the page is looked at; what comes there
 * meanwhile counts as read. Branches that are only passed by, as when walking the map with a key, are not
 * told. */
export function usePlace(sessionId: string, branchId: string, unreadCount: number): void {
  const client = useClient();
  const isAsking = useIsAsking(branchId);
  useEffect(() => {
    const tell = (): void => {
      if (document.visibilityState !== "visible") return;
      void client.mutation(LookAtBranchDocument, { input: { branchId, isAsking } }).toPromise();
    };
    const soon = window.setTimeout(tell, LINGER_MS);
    const again = window.setInterval(tell, HEARTBEAT_MS);
    document.addEventListener("visibilitychange", tell);
    return () => {
      window.clearTimeout(soon);
      window.clearInterval(again);
      document.removeEventListener("visibilitychange", tell);
    };
  }, [client, branchId, isAsking, unreadCount]);

  useEffect(() => {
    const leave = (): void => {
      const options = { fetchOptions: { keepalive: true } };
      void client.mutation(LeaveSessionDocument, { input: { sessionId } }, options).toPromise();
    };
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [client, sessionId]);
}

/** Whether something is typed and the cursor is still there. */
function useIsAsking(branchId: string): boolean {
  const [draft] = useDraft(branchId);
  return draft !== "" && document.activeElement?.id === COMPOSER_ID;
}
