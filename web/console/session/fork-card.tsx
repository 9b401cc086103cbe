import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { BranchState } from "../ui/status";
import { type BranchRowFragment, type ForkRowFragment, SwitchBranchDocument } from "./operations";
import { useSession } from "./session-context";

/** Where branches left, in its place in the conversation: the reason, and the options side by side as equals,
 * each with what has become of it. */
export function ForkCard({ fork }: { fork: ForkRowFragment }) {
  const { branches, session, isReadOnly, show } = useSession();
  const switching = useAction(SwitchBranchDocument);
  const options = [...branches.values()]
    .filter(({ forkPoint, archivedAt }) => forkPoint?.id === fork.id && !archivedAt)
    .sort((a, b) => a.order - b.order);

  async function workOn(branch: BranchRowFragment): Promise<void> {
    if (await switching.run({ input: { branchId: branch.id } })) show(branch.id);
  }

  return (
    <section
      id={fork.id}
      aria-label="Fork"
      className="ml-8 overflow-hidden rounded border border-edge/50 bg-panel max-sm:ml-0"
    >
      <h3 className="border-b px-3 py-2">
        <span className="font-semibold">Fork</span>{" "}
        <span dir="auto" className="text-ink-2">
          {fork.reason}
        </span>
      </h3>
      <ul className="flex flex-wrap">
        {options.map((branch, place) => (
          <li
            key={branch.id}
            className="flex min-w-44 flex-1 basis-44 flex-col gap-1 border-r border-b px-3 py-2.5 -mr-px -mb-px"
          >
            <button
              type="button"
              onClick={() => show(branch.id)}
              className="text-left font-semibold hover:underline"
              dir="auto"
            >
              {branch.label}
            </button>
            <p
              dir="auto"
              className="line-clamp-3 text-xs text-ink-2"
              title={branch.description ?? ""}
            >
              {branch.description}
            </p>
            <p className="mt-auto flex flex-wrap items-center gap-x-1.5 pt-1 text-xs text-ink-2">
              <BranchState status={branch.status} />
              {branch.statusReason && (
                <span className="line-clamp-2" dir="auto" title={branch.statusReason}>
                  {branch.statusReason}
                </span>
              )}
            </p>
            {!isReadOnly && canBeWorkedOn(branch) && session.activeBranch.id !== branch.id && (
              <Button
                className="mt-1 self-start"
                disabled={switching.isBusy}
                aria-keyshortcuts={String(place + 1)}
                data-fork-option={place + 1}
                onClick={() => void workOn(branch)}
              >
                Work on this
                <kbd className="text-xs text-ink-3">{place + 1}</kbd>
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Refused refusal={switching.refusal} className="m-2" />
    </section>
  );
}

function canBeWorkedOn({ status }: BranchRowFragment): boolean {
  return status !== "DEAD_END" && status !== "SOLVED";
}
