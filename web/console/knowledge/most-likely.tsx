import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { useQuery } from "urql";
import { IconButton } from "../ui/button";
import { Skeleton } from "../ui/states";
import { Likelihood } from "../ui/status";
import { Moment } from "../ui/time";
import { isOpen, mostLikely, nextCheck, percent } from "./likely";
import { BranchLink } from "./links";
import { type BranchRowFragment, type RankingRowFragment, RankingsDocument } from "./operations";
import { Nothing } from "./section";
import { Sparkline } from "./sparkline";

/** The open hypotheses by likelihood, and what would tell them apart. */
export function MostLikely({
  branchId,
  branches,
}: {
  branchId: string;
  branches: BranchRowFragment[];
}) {
  const likely = mostLikely(branches);
  const [{ data, fetching }] = useQuery({
    query: RankingsDocument,
    variables: { ids: likely.map(({ id }) => id).sort() },
    pause: likely.length === 0,
    requestPolicy: "cache-and-network",
  });
  const rankings = new Map(
    data?.nodes.flatMap((node) => (node && "rankings" in node ? [[node.id, node.rankings]] : [])),
  );
  const next = nextCheck(likely, rankings);

  if (likely.length === 0) return <Nothing>{whyNone(branches)}</Nothing>;
  return (
    <div className="flex flex-col gap-2">
      <ol>
        {likely.map((branch) => (
          <Hypothesis
            key={branch.id}
            branch={branch}
            isHere={branch.id === branchId}
            rankings={rankings.get(branch.id) ?? []}
          />
        ))}
      </ol>
      {fetching && !data && <Skeleton className="h-18" />}
      {next && (
        <div className="rounded border px-2.5 py-2">
          <h3 className="font-semibold">Next most telling check</h3>
          <p dir="auto" className="text-ink-2">
            {next.check}
          </p>
          <p className="text-xs text-ink-3">
            {next.minutes !== null && `about ${next.minutes} min · `}
            for <BranchLink id={next.branch.id}>{next.branch.label}</BranchLink>
          </p>
        </div>
      )}
    </div>
  );
}

function whyNone(branches: BranchRowFragment[]): string {
  const hypotheses = branches.filter(({ depth }) => depth > 0);
  if (hypotheses.length === 0) return "No hypotheses yet. Fork the conversation to weigh several.";
  if (!hypotheses.some(isOpen)) return "No hypothesis is open any more.";
  return "Nothing is ranked yet. The assistant weighs hypotheses as answers come in.";
}

function Hypothesis({
  branch,
  isHere,
  rankings,
}: {
  branch: BranchRowFragment;
  isHere: boolean;
  rankings: RankingRowFragment[];
}) {
  const [isUnfolded, setIsUnfolded] = useState(false);
  const newest = rankings.at(-1);
  const likelihood = branch.likelihood ?? 0;
  return (
    <li>
      <div className="flex min-h-8 items-center gap-2 py-0.5">
        <BranchLink
          id={branch.id}
          isHere={isHere}
          className="line-clamp-2 min-w-0 flex-1 leading-5 hover:underline aria-[current]:font-medium"
        >
          {branch.label}
        </BranchLink>
        <Likelihood value={likelihood} className="h-1.5 w-14 shrink-0 text-accent" />
        <span aria-hidden className="w-10 shrink-0 text-right text-ink-2 tabular-nums">
          {percent(likelihood)}
        </span>
        <IconButton
          label={`Why ${percent(likelihood)}: ${branch.label}`}
          aria-expanded={isUnfolded}
          disabled={!newest}
          onClick={() => setIsUnfolded(!isUnfolded)}
          className="size-6! -mr-1"
        >
          <ChevronDown
            aria-hidden
            className={`size-3.5 transition-transform ${isUnfolded ? "rotate-180" : ""}`}
          />
        </IconButton>
      </div>
      {isUnfolded && newest && (
        <div className="mb-2 flex flex-col gap-2 border-l-2 pl-2.5">
          <p className="text-xs text-ink-2">
            <bdi>{newest.why}</bdi>{" "}
            <span className="text-ink-3">
              <Moment at={newest.createdAt} />
            </span>
          </p>
          <Sparkline rankings={rankings} />
        </div>
      )}
    </li>
  );
}
