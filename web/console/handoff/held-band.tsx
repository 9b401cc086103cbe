import { useEffect } from "react";
import { useSearchParams } from "wouter";
import { Button } from "../ui/button";
import { Band } from "./band";
import { BriefingPanel } from "./briefing-panel";
import { HeldLine } from "./lines";
import type { HandoffLineFragment, SessionHeadFragment } from "./operations";
import { useFolded } from "./use-folded";

/** For whoever holds it: until when, and what they should know. Who comes from the queue finds it open. */
export function HeldBand({
  handoff,
  session,
  onGiveBack,
}: {
  handoff: HandoffLineFragment;
  session: SessionHeadFragment;
  onGiveBack: () => void;
}) {
  const [isFolded, fold] = useFolded(handoff.id);
  const [params, setParams] = useSearchParams();
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
    <Band
      line={<HeldLine handoff={handoff} />}
      more={{
        isFolded,
        onFold: fold,
        panel: <BriefingPanel session={session} handoff={handoff} />,
      }}
      actions={<Button onClick={onGiveBack}>Give back…</Button>}
    />
  );
}
