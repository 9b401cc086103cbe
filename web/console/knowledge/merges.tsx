import { useRef } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { Moment } from "../ui/time";
import { Told } from "./file-names";
import { type MergeRowFragment, UndoFindingMergeDocument } from "./operations";

/** What was brought into a branch, the latest first; what was taken back stays on record. */
export function Merges({ merges }: { merges: MergeRowFragment[] }) {
  const heading = useRef<HTMLHeadingElement>(null);
  if (merges.length === 0) return null;
  return (
    <section aria-label="Brought in so far" className="border-t pt-3">
      <h3 ref={heading} tabIndex={-1} className="pb-1 text-xs font-medium text-ink-2">
        Brought in so far
      </h3>
      <ul className="flex flex-col gap-3">
        {merges.toReversed().map((merge) => (
          <li key={merge.id}>
            <Merge merge={merge} onUndone={() => heading.current?.focus()} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Merge({
  merge: { id, findings, mergedAt, mergedBy, undoneAt, undoneBy },
  onUndone,
}: {
  merge: MergeRowFragment;
  onUndone: () => void;
}) {
  const undo = useAction(UndoFindingMergeDocument);

  async function takeBack(): Promise<void> {
    if (await undo.run({ input: { mergeId: id } })) onUndone();
  }

  return (
    <>
      <div className="flex items-start gap-3">
        <div className="min-w-0 flex-1">
          <ul>
            {findings.map((finding) => (
              <li key={finding.id} dir="auto">
                {undoneAt ? (
                  <del className="text-ink-3">
                    <Told>{finding.claim}</Told>
                  </del>
                ) : (
                  <Told>{finding.claim}</Told>
                )}
              </li>
            ))}
          </ul>
          <p className="text-xs text-ink-3">
            <Who person={mergedBy} at={mergedAt} />
            {undoneAt && (
              <>
                {" · taken back "}
                <Who person={undoneBy} at={undoneAt} />
              </>
            )}
          </p>
        </div>
        {!undoneAt && (
          <Button look="quiet" aria-disabled={undo.isBusy} onClick={() => void takeBack()}>
            {undo.isBusy ? "Taking back…" : "Take back"}
          </Button>
        )}
      </div>
      <Refused refusal={undo.refusal} className="mt-2" />
    </>
  );
}

function Who({ person, at }: { person: MergeRowFragment["mergedBy"]; at: string }) {
  return (
    <>
      {person && (
        <>
          by <bdi>{person.displayName}</bdi>,{" "}
        </>
      )}
      <Moment at={at} />
    </>
  );
}
