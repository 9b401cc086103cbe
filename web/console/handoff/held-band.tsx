import { useEffect, useState } from "react";
import { useSearchParams } from "wouter";
import { Button } from "../ui/button";
import { Band } from "./band";
import { BriefingPanel } from "./briefing-panel";
import { GiveBackDialog } from "./give-back-dialog";
import { HeldLine } from "./lines";
import type { HandoffLineFragment, SessionHeadFragment, SessionStatus } from "./operations";
import { useFolded } from "./use-folded";

/** For whoever holds it: until when, and what they should know. Who comes from the queue finds it open. */
export function HeldBand({
  handoff,
  session,
  onMoved,
}: {
  handoff: HandoffLineFragment;
  session: SessionHeadFragment;
  onMoved: (status: SessionStatus) => void;
}) {
  const [isFolded, fold] = useFolded(handoff.id);
  const [params, setParams] = useSearchParams();
  const [givesBack, setGivesBack] = useState(false);
  const isAskedFor = params.get("handoff") === handoff.id;

  useEffect(() => {
    if (!isAskedFor) return;
    fold(false);
    setParams(
      (before) => {
        before.delete("handoff");
        return before;
      },
      { replace: true },
    );
  }, [isAskedFor, fold, setParams]);

  return (
    <>
      <Band
        line={<HeldLine handoff={handoff} />}
        more={{
          isFolded,
          onFold: fold,
          panel: <BriefingPanel session={session} handoff={handoff} />,
        }}
        actions={<Button onClick={() => setGivesBack(true)}>Give back…</Button>}
      />
      {givesBack && (
        <GiveBackDialog
          sessionId={session.id}
          handoffId={handoff.id}
          onClose={() => setGivesBack(false)}
          onMoved={onMoved}
        />
      )}
    </>
  );
}
