import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { type BranchRowFragment, SwitchBranchDocument } from "./operations";
import { useSession } from "./session-context";

/** Which branch the team came from and which it works on, where that is not the one that is looked at. */
export interface Transition {
  from: string;
  to: string;
  by: string;
}

/** Says where one is while the team works elsewhere, and that it has gone elsewhere. */
export function PlaceBar({
  branch,
  transition,
}: {
  branch: BranchRowFragment;
  transition: Transition | null;
}) {
  const { session, branches, isReadOnly, show } = useSession();
  const switching = useAction(SwitchBranchDocument);
  const active = branches.get(session.activeBranch.id);
  if (!active) return null;
  const isHere = active.id === branch.id;
  const isDead = branch.status === "DEAD_END";
  if (isHere && !transition) return null;
  return (
    <div className="border-b bg-panel px-4 py-1.5">
      <div className="mx-auto flex max-w-[690px] flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-2">
        <p role="status" className="min-w-0 flex-1 basis-60" dir="auto">
          {transition ? (
            <>
              {transition.by} switched to <b>{transition.to}</b> from {transition.from}
            </>
          ) : (
            !isHere && (
              <>
                The team works on <b>{active.label}</b>
              </>
            )
          )}
        </p>
        {!isHere && <Button onClick={() => show(active.id)}>Go there</Button>}
        {!isHere && !isDead && !isReadOnly && !branch.archivedAt && (
          <Button
            look="primary"
            disabled={switching.isBusy}
            onClick={() => void switching.run({ input: { branchId: branch.id } })}
          >
            Work on this branch
          </Button>
        )}
      </div>
      <Refused refusal={switching.refusal} className="mx-auto mt-1 max-w-[690px]" />
    </div>
  );
}
