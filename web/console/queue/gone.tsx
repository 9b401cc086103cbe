import { useViewer } from "../shell/viewer";
import { Button } from "../ui/button";
import type { QueueRowFragment } from "./operations";

/** What became of a row that is still shown. */
export function Gone({
  handoff,
  onDismiss,
}: {
  handoff: QueueRowFragment;
  onDismiss: (() => void) | undefined;
}) {
  const viewer = useViewer();
  const by = handoff.claimedBy;
  return (
    <div className="flex flex-col items-end gap-1 text-xs whitespace-nowrap text-ink-2">
      {handoff.state === "CANCELLED" && "Taken back"}
      {handoff.state === "CLAIMED" &&
        `Claimed by ${by?.id === viewer.id ? "you" : (by?.displayName ?? "somebody")}`}
      {onDismiss && (
        <Button look="quiet" onClick={onDismiss}>
          Dismiss
        </Button>
      )}
    </div>
  );
}
