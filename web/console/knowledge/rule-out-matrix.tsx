import { useQuery } from "urql";
import { Dialog } from "../ui/dialog";
import { Failed, SkeletonRows } from "../ui/states";
import { BranchGlyph } from "../ui/status";
import { Told } from "./file-names";
import { FindingGlyph } from "./finding-row";
import { percent } from "./likely";
import { BranchLink } from "./links";
import { type Matrix, matrixOf } from "./matrix";
import { whole } from "./numbers";
import { type Bearing, BearingsDocument, type BranchRowFragment } from "./operations";

const SIGNS: Record<Bearing, { sign: string; word: string; look: string }> = {
  EXPLAINS: { sign: "+", word: "explains", look: "bg-solved-soft text-solved" },
  CONTRADICTS: { sign: "−", word: "contradicts", look: "bg-dead-end-soft text-dead-end" },
  NEUTRAL: { sign: "○", word: "neutral", look: "text-ink-3" },
};

/** Which hypothesis explains what was found, and which it contradicts. */
export function RuleOutMatrix({
  sessionId,
  branches,
  isOpen,
  onClose,
}: {
  sessionId: string;
  branches: BranchRowFragment[];
  isOpen: boolean;
  onClose: () => void;
}) {
  return (
    <Dialog
      title="Rule-out matrix"
      isOpen={isOpen}
      onClose={onClose}
      width="sm:w-fit sm:max-w-[1200px] sm:min-w-96"
    >
      <Loaded sessionId={sessionId} branches={branches} />
    </Dialog>
  );
}

function Loaded({ sessionId, branches }: { sessionId: string; branches: BranchRowFragment[] }) {
  const [{ data, error }, reload] = useQuery({
    query: BearingsDocument,
    variables: { id: sessionId },
    requestPolicy: "cache-and-network",
  });
  if (!data) {
    return error ? (
      <Failed what="The matrix" error={error} retry={() => reload()} />
    ) : (
      <SkeletonRows count={5} className="h-8" />
    );
  }
  const matrix = matrixOf(data.session?.findings ?? [], branches);
  if (matrix.rows.length === 0) {
    return (
      <p className="text-ink-2">
        No finding was judged against a hypothesis yet. The assistant does so as answers come in.
      </p>
    );
  }
  const { hypotheses, hypothesisCount } = matrix;
  return (
    <>
      {hypotheses.length < hypothesisCount && (
        <p className="text-ink-2">
          {hypotheses.length} of {whole(hypothesisCount)} hypotheses: those that findings were
          judged against, then the likeliest.
        </p>
      )}
      <Table matrix={matrix} />
    </>
  );
}

const EDGE = "border-b bg-panel p-2 text-left align-bottom font-normal";

function Table({ matrix: { hypotheses, rows } }: { matrix: Matrix }) {
  return (
    <section
      aria-label="Findings against hypotheses"
      tabIndex={0}
      className="max-h-[72vh] overflow-auto rounded border"
    >
      <table className="border-separate border-spacing-0 text-xs">
        <thead>
          <tr>
            <th
              scope="col"
              className={`${EDGE} sticky top-0 left-0 z-2 min-w-40 border-r text-ink-3 sm:min-w-72`}
            >
              Finding
            </th>
            {hypotheses.map((branch) => (
              <th
                key={branch.id}
                scope="col"
                className={`${EDGE} sticky top-0 z-1 max-w-40 min-w-32`}
              >
                <span className="flex items-start gap-1.5">
                  <BranchGlyph status={branch.status} className="mt-0.75" />
                  <BranchLink id={branch.id} className="font-medium hover:underline">
                    {branch.label}
                  </BranchLink>
                </span>
                {branch.likelihood !== null && (
                  <span className="pl-5 text-ink-3 tabular-nums">{percent(branch.likelihood)}</span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ finding, cells }) => (
            <tr key={finding.id} className="group">
              <th
                scope="row"
                className="sticky left-0 z-1 max-w-40 border-r border-b bg-panel p-2 text-left font-normal group-last:border-b-0 sm:max-w-96"
              >
                <span className="flex items-start gap-1.5">
                  <FindingGlyph kind={finding.kind} className="mt-0.75" />
                  <span dir="auto">
                    <Told>{finding.claim}</Told>
                  </span>
                </span>
              </th>
              {cells.map((bearing, place) => (
                <Cell key={hypotheses[place]?.id} bearing={bearing} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Cell({ bearing }: { bearing: Bearing | null }) {
  const { sign, word, look } = bearing
    ? SIGNS[bearing]
    : { sign: "", word: "not judged", look: "" };
  return (
    <td className={`border-b p-2 whitespace-nowrap group-last:border-b-0 ${look}`}>
      <span aria-hidden className="inline-block w-4 font-semibold">
        {sign}
      </span>
      <span className={bearing ? "" : "sr-only"}>{word}</span>
    </td>
  );
}
