import type { Refusal } from "../graph/use-action";
import { waitingOf } from "./moves";
import {
  ClaimDocument,
  ReopenDocument,
  type SessionHeadFragment,
  type SessionStatus,
  TakeBackDocument,
} from "./operations";
import { useMove } from "./use-move";

export interface QuickMoves {
  claim: () => Promise<void>;
  takeBack: () => Promise<void>;
  reopen: () => Promise<void>;
  refusal: Refusal | null;
  clear: () => void;
  isBusy: boolean;
}

/** What takes one click and asks nothing. */
export function useQuickMoves(
  session: SessionHeadFragment,
  onMoved: (status: SessionStatus) => void,
): QuickMoves {
  const claim = useMove(ClaimDocument, session.id);
  const takeBack = useMove(TakeBackDocument, session.id);
  const reopen = useMove(ReopenDocument, session.id);
  const all = [claim, takeBack, reopen];
  const clear = () => {
    for (const each of all) each.clear();
  };

  async function moved(
    done: Promise<{ session: { status: SessionStatus } } | null>,
  ): Promise<void> {
    const answer = await done;
    if (answer) onMoved(answer.session.status);
  }

  async function withWaiting(run: typeof claim.run | typeof takeBack.run): Promise<void> {
    const waiting = waitingOf(session);
    clear();
    if (waiting) await moved(run({ input: { handoffId: waiting.id } }));
  }

  return {
    claim: () => withWaiting(claim.run),
    takeBack: () => withWaiting(takeBack.run),
    reopen: () => {
      clear();
      return moved(
        reopen.run({ input: { sessionId: session.id, expectedVersion: session.version } }),
      );
    },
    refusal: claim.refusal ?? takeBack.refusal ?? reopen.refusal,
    clear,
    isBusy: all.some(({ isBusy }) => isBusy),
  };
}
