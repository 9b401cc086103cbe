import { useState } from "react";
import { Band } from "./band";
import { BriefingPanel } from "./briefing-panel";
import { WaitingLine } from "./lines";
import type { HandoffLineFragment, SessionHeadFragment } from "./operations";

export function WaitingBand({
  handoff,
  before,
  session,
}: {
  handoff: HandoffLineFragment;
  /** The claim that it has come back from. */
  before: HandoffLineFragment | undefined;
  session: SessionHeadFragment;
}) {
  const [isFolded, setIsFolded] = useState(true);
  return (
    <Band
      line={<WaitingLine handoff={handoff} before={before} isBrief={!isFolded} />}
      more={{
        isFolded,
        onFold: setIsFolded,
        panel: <BriefingPanel session={session} handoff={handoff} />,
      }}
    />
  );
}
