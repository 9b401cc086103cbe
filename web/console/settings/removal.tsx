import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { Refused } from "../ui/states";
import { type ConnectionFragment, RemoveConnectionDocument } from "./operations";

export function Removal({
  connection,
  reload,
  onClose,
}: {
  connection: ConnectionFragment;
  reload: () => void;
  onClose: () => void;
}) {
  const remove = useAction(RemoveConnectionDocument);

  async function run(): Promise<void> {
    if (!(await remove.run({ input: { integrationId: connection.id } }))) return;
    reload();
    onClose();
  }

  return (
    <Dialog title={`Remove ${connection.name}`} isOpen onClose={onClose}>
      <p>
        It and its secrets are forgotten for ever, and what is on its way there fails. The record of
        what was sent stays. To stop sending for a while, switch it off instead.
      </p>
      <Refused refusal={remove.refusal} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="danger" disabled={remove.isBusy} onClick={() => void run()}>
          {remove.isBusy ? "Removing…" : "Remove for ever"}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
