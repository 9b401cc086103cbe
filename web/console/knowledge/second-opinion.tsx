import { useRef } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Refused, Skeleton } from "../ui/states";
import { Moment } from "../ui/time";
import { Fold } from "./fold";
import { BranchLink } from "./links";
import { type OpinionCardFragment, RequestSecondOpinionDocument } from "./operations";

const CONFIDENCE = { LOW: "Low", MEDIUM: "Medium", HIGH: "High" };

/** What somebody thinks who knows the observations and none of the hypotheses. */
export function SecondOpinions({
  sessionId,
  opinions,
  isAskable,
}: {
  sessionId: string;
  opinions: OpinionCardFragment[];
  /** Whether the viewer may ask for one. */
  isAskable: boolean;
}) {
  const request = useAction(RequestSecondOpinionDocument);
  const key = useRef(newKey());
  const [newest, ...earlier] = opinions;
  const given = earlier.filter(({ state }) => state === "READY");

  async function ask(): Promise<void> {
    const asked = await request.run({ input: { idempotencyKey: key.current, sessionId } });
    if (asked) key.current = newKey();
  }

  const verb = newest?.state === "FAILED" ? "Try again" : newest ? "Ask again" : "Ask for one";
  return (
    <div className="flex flex-col items-start gap-2">
      {!newest && (
        <p className="text-xs text-ink-3">
          {isAskable
            ? "A blind one: told the intake and what was observed, and none of the hypotheses."
            : "None was asked for."}
        </p>
      )}
      {newest && <Opinion opinion={newest} />}
      {isAskable && newest?.state !== "PENDING" && (
        <Button aria-disabled={request.isBusy} onClick={() => void ask()}>
          {request.isBusy ? "Asking…" : verb}
        </Button>
      )}
      <Refused refusal={request.refusal} />
      {given.length > 0 && (
        <Fold title={<>Earlier {given.length}</>}>
          <div className="flex flex-col gap-3">
            {given.map((opinion) => (
              <Opinion key={opinion.id} opinion={opinion} />
            ))}
          </div>
        </Fold>
      )}
    </div>
  );
}

function Opinion({
  opinion: { state, failure, createdAt, opinion, leadingHypothesis, observationCount, requestedBy },
}: {
  opinion: OpinionCardFragment;
}) {
  if (state === "PENDING") {
    return (
      <div role="status" className="flex w-full flex-col gap-2">
        <p className="text-xs text-ink-2">
          Being formed, since <Moment at={createdAt} />
        </p>
        <Skeleton className="h-5 w-4/5" />
        <Skeleton className="h-12" />
      </div>
    );
  }
  if (!opinion) return <p className="text-dead-end">{failure}</p>;
  return (
    <div className="flex w-full flex-col gap-2">
      <dl className="flex flex-col gap-2">
        <div>
          <dt className="text-xs text-ink-3">It says</dt>
          <dd dir="auto" className="font-medium">
            {opinion.likelyCause}
          </dd>
        </div>
        {leadingHypothesis && (
          <div>
            <dt className="text-xs text-ink-3">You held likeliest</dt>
            <dd>
              <BranchLink id={leadingHypothesis.id}>{leadingHypothesis.label}</BranchLink>
            </dd>
          </div>
        )}
      </dl>
      <p dir="auto" className="text-ink-2">
        {opinion.reasoning}
      </p>
      <Few title="It could also be" items={opinion.alternatives} />
      <Few title="It would do" items={opinion.suggestedSteps} isOrdered />
      <p className="text-xs text-ink-3">
        {CONFIDENCE[opinion.confidence]} confidence · told{" "}
        {observationCount === 1 ? "1 observation" : `${observationCount} observations`} ·{" "}
        {requestedBy && (
          <>
            asked by <bdi>{requestedBy.displayName}</bdi>,{" "}
          </>
        )}
        <Moment at={createdAt} />
      </p>
    </div>
  );
}

function Few({
  title,
  items,
  isOrdered = false,
}: {
  title: string;
  items: string[];
  isOrdered?: boolean;
}) {
  if (items.length === 0) return null;
  const List = isOrdered ? "ol" : "ul";
  return (
    <div>
      <h3 className="text-xs text-ink-3">{title}</h3>
      <List className={`pl-5 text-ink-2 ${isOrdered ? "list-decimal" : "list-disc"}`}>
        {items.map((item) => (
          <li key={item} dir="auto">
            {item}
          </li>
        ))}
      </List>
    </div>
  );
}
