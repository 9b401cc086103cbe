import { Button } from "../ui/button";
import type { BranchRowFragment } from "./operations";
import { useSession } from "./session-context";

/** In the composer's place on a dead end: nothing is said there until it comes back. */
export function DeadEndBar({ branch }: { branch: BranchRowFragment }) {
  const { askRevival } = useSession();
  return (
    <div className="mx-auto mb-3 flex w-[calc(100%-2rem)] max-w-[658px] flex-wrap items-center gap-3 rounded border border-dead-end/40 bg-panel px-3 py-2">
      <p className="min-w-0 flex-1 basis-60 text-ink-2">
        <b className="font-medium text-dead-end">Dead end.</b>{" "}
        <span dir="auto">{branch.statusReason}</span>
      </p>
      <Button onClick={() => askRevival(branch)}>Bring it back…</Button>
    </div>
  );
}
