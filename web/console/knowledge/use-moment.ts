import { useEffect, useState } from "react";
import { type CombinedError, useQuery } from "urql";
import { SessionMomentDocument, type SessionMomentQuery } from "./operations";

const PAUSE_MS = 120;

export type MomentOfSession = NonNullable<NonNullable<SessionMomentQuery["session"]>["at"]>;

export interface MomentShown {
  at: MomentOfSession | undefined;
  /** What was shown before it. */
  before: MomentOfSession | undefined;
  /** Whether it is the one asked for. */
  isCurrent: boolean;
  error: CombinedError | undefined;
  reload: () => void;
}

/** The session as it was at an event. While the next one is read the last one stays. */
export function useMoment(sessionId: string, cursor: string | undefined): MomentShown {
  const asked = useSettled(cursor);
  const [{ data, error }, execute] = useQuery({
    query: SessionMomentDocument,
    variables: { id: sessionId, cursor: asked ?? "" },
    pause: asked === undefined,
  });
  const [shown, setShown] = useState<{ at?: MomentOfSession; before?: MomentOfSession }>({});
  const at = data?.session?.at;
  if (at && at.cursor === asked && at.cursor !== shown.at?.cursor) {
    setShown(shown.at ? { at, before: shown.at } : { at });
  }
  return {
    at: shown.at,
    before: shown.before,
    isCurrent: shown.at?.cursor === cursor,
    error,
    reload: () => execute({ requestPolicy: "network-only" }),
  };
}

/** A value once it has stood still for a moment, so that a slider that is pulled asks for little. */
function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [value]);
  return settled;
}
