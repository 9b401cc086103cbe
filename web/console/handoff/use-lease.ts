import { useEffect } from "react";
import { useMutation } from "urql";
import { KeepClaimDocument } from "./operations";

const BEAT_MS = 60_000;

/** Tells the server every minute that the claimer is there, while they can see the page. */
export function useLease(handoffId: string | null): void {
  const [, keep] = useMutation(KeepClaimDocument);
  useEffect(() => {
    if (handoffId === null) return;
    let timer: number | undefined;
    const beat = () => void keep({ input: { handoffId } });
    const follow = () => {
      window.clearInterval(timer);
      if (document.visibilityState === "hidden") return;
      beat();
      timer = window.setInterval(beat, BEAT_MS);
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", follow);
    };
  }, [handoffId, keep]);
}
