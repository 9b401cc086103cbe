import { type FormEvent, useState } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { TextArea, TextField } from "../ui/field";
import { fieldProblem, Refused } from "../ui/states";
import { type BranchRowFragment, RenameBranchDocument } from "./operations";

export function RenameDialog({
  branch,
  onClose,
}: {
  branch: BranchRowFragment;
  onClose: () => void;
}) {
  const [label, setLabel] = useState(branch.label);
  const [description, setDescription] = useState(branch.description ?? "");
  const rename = useAction(RenameBranchDocument);

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    const input = {
      branchId: branch.id,
      label,
      description: description.trim() || null,
      expectedVersion: branch.version,
    };
    if (await rename.run({ input })) onClose();
  }

  return (
    <Dialog title="Rename the branch" isOpen onClose={onClose}>
      <form onSubmit={(event) => void save(event)} className="flex flex-col gap-4">
        <TextField
          label="Name"
          value={label}
          autoFocus
          maxLength={200}
          onChange={(event) => setLabel(event.target.value)}
          problem={fieldProblem(rename.refusal, "label")}
        />
        <TextArea
          label="What it supposes"
          value={description}
          maxLength={500}
          onChange={(event) => setDescription(event.target.value)}
          problem={fieldProblem(rename.refusal, "description")}
        />
        <Refused refusal={rename.refusal} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={rename.isBusy}>
            Rename
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
