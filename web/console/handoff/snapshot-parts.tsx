import { Link } from "wouter";
import { BranchGlyph, type BranchStatus } from "../ui/status";
import type { BriefingFragment } from "./operations";
import { Part } from "./part";

type Snapshot = BriefingFragment["snapshot"];
type Hypothesis = Snapshot["branchMap"][number];

const ORDER: BranchStatus[] = ["SOLVED", "ACTIVE", "REVIVED", "UNTRIED", "DEAD_END"];
const MOST = 6;

/** The session as it was when it was handed off. */
export function SnapshotParts({
  sessionId,
  snapshot,
  hasBriefing,
}: {
  sessionId: string;
  snapshot: Snapshot;
  /** It begins with the problem. */
  hasBriefing: boolean;
}) {
  const hypotheses = snapshot.branchMap.filter(({ parentId }) => parentId !== null);
  return (
    <>
      {snapshot.problemSummary && !hasBriefing && (
        <Part name={snapshot.problemDomain ? `Problem, ${snapshot.problemDomain}` : "Problem"}>
          <p dir="auto">{snapshot.problemSummary}</p>
        </Part>
      )}
      {snapshot.nextStep && (
        <Part name="Next step">
          <p dir="auto">{snapshot.nextStep}</p>
        </Part>
      )}
      {snapshot.waitingOn && (
        <Part name="Waiting on">
          <p dir="auto">{snapshot.waitingOn}</p>
        </Part>
      )}
      {snapshot.watchOut.length > 0 && (
        <Part name="Watch out for">
          <ul className="list-disc pl-5" dir="auto">
            {snapshot.watchOut.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Part>
      )}
      {snapshot.notesByAssistant && (
        <p className="mb-4 text-xs text-ink-3">
          What was left empty of next step, waiting on and watch out for is by the assistant.
        </p>
      )}
      {hypotheses.length > 0 && (
        <Part name="Hypotheses at that moment">
          {ORDER.map((status) => (
            <OfStatus
              key={status}
              status={status}
              sessionId={sessionId}
              hypotheses={hypotheses.filter((each) => each.status === status)}
            />
          ))}
        </Part>
      )}
      {snapshot.artifacts.length > 0 && (
        <Part name="Files">
          <ul>
            {snapshot.artifacts.map(({ reference, name, type }) => (
              <li key={reference}>
                <span dir="auto">{name}</span> <span className="text-xs text-ink-3">{type}</span>
              </li>
            ))}
          </ul>
        </Part>
      )}
    </>
  );
}

function OfStatus({
  status,
  sessionId,
  hypotheses,
}: {
  status: BranchStatus;
  sessionId: string;
  hypotheses: Hypothesis[];
}) {
  if (hypotheses.length === 0) return null;
  const row = (each: Hypothesis) => <Row key={each.id} sessionId={sessionId} hypothesis={each} />;
  const rest = hypotheses.slice(MOST);
  return (
    <div className="mt-1 flex items-start gap-2">
      <BranchGlyph status={status} className="mt-1" />
      <div className="min-w-0">
        <ul>{hypotheses.slice(0, MOST).map(row)}</ul>
        {rest.length > 0 && (
          <details>
            <summary className="cursor-pointer text-ink-2">{rest.length} more</summary>
            <ul>{rest.map(row)}</ul>
          </details>
        )}
      </div>
    </div>
  );
}

function Row({ sessionId, hypothesis }: { sessionId: string; hypothesis: Hypothesis }) {
  return (
    <li dir="auto">
      <Link
        href={`/sessions/${sessionId}/${hypothesis.id}`}
        className={`hover:underline ${hypothesis.status === "DEAD_END" ? "line-through decoration-ink-3" : ""}`}
      >
        {hypothesis.label}
      </Link>
      {hypothesis.statusReason && <span className="text-ink-2"> · {hypothesis.statusReason}</span>}
    </li>
  );
}
