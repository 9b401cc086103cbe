import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { type BranchRowFragment, MarkBranchStatusDocument } from "./operations";

/** In the composer's place on a branch that takes no messages because it has solved the problem. */
export function SolvedBranch({ branch }: { branch: BranchRowFragment }) {
  const mark = useAction(MarkBranchStatusDocument);
  const input = {
    branchId: branch.id,
    status: "ACTIVE" as const,
    expectedVersion: branch.version,
  };
  return (
    <div className="flex flex-col gap-2 rounded border border-solved/60 bg-panel px-3 py-2.5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <p className="min-w-0 flex-1 basis-60 text-ink-2">
          This branch has solved it, so nothing more is written here.
        </p>
        <Button disabled={mark.isBusy} onClick={() => void mark.run({ input })}>
          Not solved after all
        </Button>
      </div>
      <Refused refusal={mark.refusal} />
    </div>
  );
}
