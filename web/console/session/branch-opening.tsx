import { BranchState } from "../ui/status";
import { Moment } from "../ui/time";
import { BranchMenu } from "./branch-menu";
import type { BranchRowFragment } from "./operations";
import { useSession } from "./session-context";

/** The hypothesis as a heading, and what became of it. */
export function BranchOpening({ branch }: { branch: BranchRowFragment }) {
  const { session } = useSession();
  const isTrunk = branch.parent === null;
  return (
    <header className="flex flex-col gap-1.5">
      <div className="flex items-start gap-2">
        <h2 className="min-w-0 flex-1 text-lg font-semibold" dir="auto">
          {branch.label}
        </h2>
        <BranchMenu branch={branch} />
      </div>
      {branch.description && (
        <p className="text-ink-2" dir="auto">
          {branch.description}
        </p>
      )}
      {isTrunk && (
        <blockquote className="border-l-2 pl-3 whitespace-pre-wrap text-ink-2" dir="auto">
          {session.intake.text}
        </blockquote>
      )}
      <p className="flex flex-wrap items-center gap-x-2 text-xs text-ink-2">
        <BranchState status={branch.status} />
        {branch.statusChangedAt && <Moment at={branch.statusChangedAt} className="text-ink-3" />}
        {branch.statusReason && <span dir="auto">{branch.statusReason}</span>}
        {branch.archivedAt && <span>Archived</span>}
      </p>
    </header>
  );
}
