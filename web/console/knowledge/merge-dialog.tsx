import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { newKey } from "../graph/keys";
import { type Refusal, useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { CheckField, SelectField, TextField } from "../ui/field";
import { Failed, fieldProblem, Refused, SkeletonRows } from "../ui/states";
import { Told } from "./file-names";
import { FindingGlyph } from "./finding-row";
import { isOpen as takesFindings } from "./likely";
import { Merges } from "./merges";
import { mergeable } from "./merging";
import {
  BranchMergesDocument,
  type BranchRowFragment,
  type FindingRowFragment,
  MergeFindingsDocument,
  SessionFindingsDocument,
} from "./operations";

const MOST = 50;
const MANY = 8;

interface Props {
  sessionId: string;
  /** Into which, unless another one is chosen or the finding is its own. */
  branchId: string;
  branches: BranchRowFragment[];
  /** Which is chosen at first. */
  finding?: FindingRowFragment | undefined;
}

/** Findings of other branches, brought into one; and what was brought there before. */
export function MergeDialog({
  isOpen,
  onClose,
  ...props
}: Props & { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title="Bring in findings" isOpen={isOpen} onClose={onClose} width="max-w-xl">
      <MergeForm {...props} onClose={onClose} />
    </Dialog>
  );
}

function MergeForm({
  sessionId,
  branchId,
  branches,
  finding,
  onClose,
}: Props & { onClose: () => void }) {
  const [intoId, setIntoId] = useState(finding?.branch.id === branchId ? "" : branchId);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(finding ? [finding.id] : []));
  const [search, setSearch] = useState("");
  const [{ data, error }, reload] = useQuery({
    query: SessionFindingsDocument,
    variables: { id: sessionId },
  });
  const [{ data: into }] = useQuery({
    query: BranchMergesDocument,
    variables: { id: intoId },
    requestPolicy: "cache-and-network",
    pause: intoId === "",
  });
  const merge = useAction(MergeFindingsDocument);
  const merges = into?.branch?.id === intoId ? into.branch.merges : [];
  const groups = mergeable(data?.session?.findings ?? [], merges, intoId, search);
  const offered = mergeable(data?.session?.findings ?? [], merges, intoId, "");
  const findingIds = offered.flatMap(({ findings }) =>
    findings.flatMap(({ id }) => (chosen.has(id) ? [id] : [])),
  );
  const content = [intoId, ...findingIds].join();
  // Another choice is another intention; the same one, sent again after a lost answer, is not.
  const idempotencyKey = useMemo(() => newKey(), [content]);

  const isReady = intoId !== "" && findingIds.length > 0 && findingIds.length <= MOST;

  async function bring(): Promise<void> {
    if (!isReady) return;
    const input = { idempotencyKey, branchId: intoId, findingIds };
    if (await merge.run({ input })) setChosen(new Set());
  }

  function choose(id: string, isChosen: boolean): void {
    const changed = new Set(chosen);
    if (isChosen) changed.add(id);
    else changed.delete(id);
    setChosen(changed);
    merge.clear();
  }

  const count = offered.reduce((sum, { findings }) => sum + findings.length, 0);
  return (
    <>
      <p className="text-ink-2">
        The assistant takes them for known on that branch from then on. No message is copied.
      </p>
      <SelectField
        label="Into"
        value={intoId}
        onChange={(event) => setIntoId(event.target.value)}
        problem={fieldProblem(merge.refusal, "branchId")}
      >
        {intoId === "" && <option value="">Choose a branch</option>}
        {branches
          .filter((branch) => takesFindings(branch) || branch.id === branchId)
          .map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
      </SelectField>
      {count > MANY && (
        <TextField
          label="Find"
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {error && <Failed what="The findings" error={error} retry={() => reload()} />}
      {!data && !error && <SkeletonRows count={3} className="h-5" />}
      {data && count === 0 && (
        <p className="text-ink-2">No other branch has a finding that is not here already.</p>
      )}
      {count > 0 && groups.length === 0 && <p className="text-ink-2">No finding says that.</p>}
      <div className="flex max-h-[40vh] flex-col gap-3 overflow-y-auto">
        {groups.map(({ branch, findings }) => (
          <fieldset key={branch.id}>
            <legend className="pb-1 text-xs text-ink-3">
              From <bdi>{branch.label}</bdi>
            </legend>
            {findings.map(({ id, kind, claim }) => (
              <CheckField
                key={id}
                checked={chosen.has(id)}
                onChange={(event) => choose(id, event.target.checked)}
                className="py-0.5"
                label={
                  <span className="flex items-start gap-1.5">
                    <FindingGlyph kind={kind} className="mt-1" />
                    <span dir="auto">
                      <Told>{claim}</Told>{" "}
                      <Problem of={merge.refusal} place={findingIds.indexOf(id)} />
                    </span>
                  </span>
                }
              />
            ))}
          </fieldset>
        ))}
      </div>
      <Refused refusal={merge.refusal} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Close
        </Button>
        <Button
          look="primary"
          aria-disabled={!isReady || merge.isBusy}
          onClick={() => void bring()}
        >
          {merge.isBusy ? "Bringing in…" : verbOf(findingIds.length)}
        </Button>
      </DialogActions>
      <Merges merges={merges} />
    </>
  );
}

/** Why one of those chosen cannot be brought in. */
function Problem({ of, place }: { of: Refusal | null; place: number }) {
  const problem = fieldProblem(of, `findingIds.${place}`);
  return problem ? <span className="text-xs text-dead-end">{problem}</span> : null;
}

function verbOf(count: number): string {
  if (count > MOST) return `At most ${MOST} at once`;
  if (count === 0) return "Bring in";
  return count === 1 ? "Bring in 1 finding" : `Bring in ${count} findings`;
}
