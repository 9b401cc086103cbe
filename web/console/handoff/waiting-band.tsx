import { useState } from "react";
import { useViewer } from "../shell/viewer";
import { Button } from "../ui/button";
import { Band } from "./band";
import { BriefingPanel } from "./briefing-panel";
import { WaitingLine } from "./lines";
import { isPutDownBy, movesOf } from "./moves";
import type { HandoffLineFragment, SessionHeadFragment } from "./operations";
import type { QuickMoves } from "./use-quick-moves";

export function WaitingBand({
  handoff,
  before,
  session,
  quick,
}: {
  handoff: HandoffLineFragment;
  /** The claim that it has come back from. */
  before: HandoffLineFragment | undefined;
  session: SessionHeadFragment;
  quick: QuickMoves;
}) {
  const viewer = useViewer();
  const [isFolded, setIsFolded] = useState(true);
  const may = movesOf(session, undefined, viewer);
  return (
    <Band
      line={<WaitingLine handoff={handoff} before={before} />}
      more={{
        isFolded,
        onFold: setIsFolded,
        panel: <BriefingPanel session={session} handoff={handoff} />,
      }}
      actions={
        <>
          {may.has("takeBack") && (
            <Button disabled={quick.isBusy} onClick={() => void quick.takeBack()}>
              Take back
            </Button>
          )}
          {may.has("claim") && !isPutDownBy(session, viewer) && (
            <Button disabled={quick.isBusy} onClick={() => void quick.claim()}>
              Claim
            </Button>
          )}
        </>
      }
    />
  );
}
