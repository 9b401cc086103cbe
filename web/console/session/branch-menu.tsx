import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { useAction } from "../graph/use-action";
import { Menu, MenuItem } from "../ui/menu";
import { Refused } from "../ui/states";
import { ArchiveBranchDocument, type BranchRowFragment, RestoreBranchDocument } from "./operations";
import { RenameDialog } from "./rename-dialog";
import { useSession } from "./session-context";

/** What can be done with a branch as a whole, apart from what tests its hypothesis. */
export function BranchMenu({ branch }: { branch: BranchRowFragment }) {
  const { branches, isReadOnly, compare, askFork } = useSession();
  const [renames, setRenames] = useState(false);
  const archive = useAction(ArchiveBranchDocument);
  const restore = useAction(RestoreBranchDocument);
  const input = { branchId: branch.id, expectedVersion: branch.version };
  const isTrunk = branch.parent === null;
  const isSettled = branch.status === "SOLVED" || branch.status === "DEAD_END";
  return (
    <>
      <Menu
        label={`More for ${branch.label}`}
        button={<Ellipsis aria-hidden className="size-4" />}
        className="size-8"
      >
        {!isReadOnly && !isSettled && (
          <MenuItem onAction={() => askFork({ branchId: branch.id })}>Fork here…</MenuItem>
        )}
        {!isReadOnly && <MenuItem onAction={() => setRenames(true)}>Rename…</MenuItem>}
        {branches.size > 1 && <MenuItem onAction={compare}>Compare…</MenuItem>}
        {!isReadOnly && !isTrunk && !branch.archivedAt && (
          <MenuItem onAction={() => void archive.run({ input })}>
            Archive, with what is below
          </MenuItem>
        )}
        {!isReadOnly && branch.archivedAt && (
          <MenuItem onAction={() => void restore.run({ input })}>Restore</MenuItem>
        )}
      </Menu>
      <Refused refusal={archive.refusal ?? restore.refusal} />
      {renames && <RenameDialog branch={branch} onClose={() => setRenames(false)} />}
    </>
  );
}
