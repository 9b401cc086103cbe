import { useState } from "react";
import { useQuery } from "urql";
import { Button } from "../ui/button";
import { Failed, Skeleton } from "../ui/states";
import { percent } from "./likely";
import { cachedShare, compact, whole } from "./numbers";
import { type BranchRowFragment, BranchUsageDocument, type UsageFragment } from "./operations";
import { Nothing } from "./section";

const LONGEST = 20;

/** What models have read and written for the session. */
export function Cost({ usage, branches }: { usage: UsageFragment; branches: BranchRowFragment[] }) {
  const [isByBranch, setIsByBranch] = useState(false);
  if (usage.input === 0 && usage.output === 0) {
    return <Nothing>No tokens were used: no model was asked yet.</Nothing>;
  }
  return (
    <>
      <dl className="grid grid-cols-[1fr_auto] gap-y-0.5">
        <dt className="text-ink-2">Tokens in / out</dt>
        <dd className="text-right tabular-nums" title={exact(usage)}>
          {compact(usage.input)} / {compact(usage.output)}
        </dd>
        <dt className="text-ink-2">Read from cache</dt>
        <dd className="text-right tabular-nums">{shareOf(usage)}</dd>
      </dl>
      {branches.length > 1 && (
        <Button
          look="quiet"
          className="-ml-3 text-xs"
          aria-expanded={isByBranch}
          onClick={() => setIsByBranch(!isByBranch)}
        >
          By branch
        </Button>
      )}
      {isByBranch && <ByBranch branches={branches} />}
    </>
  );
}

/** Of the branches with the most messages: one read, however many there are. */
function ByBranch({ branches }: { branches: BranchRowFragment[] }) {
  const longest = branches
    .filter(({ messageCount }) => messageCount > 0)
    .sort((a, b) => b.messageCount - a.messageCount)
    .slice(0, LONGEST);
  const [{ data, error }, execute] = useQuery({
    query: BranchUsageDocument,
    variables: { ids: longest.map(({ id }) => id).sort() },
    requestPolicy: "cache-and-network",
  });
  if (error) return <Failed what="The branches' cost" error={error} retry={() => execute()} />;
  if (!data) return <Skeleton className="h-12" />;
  const used = new Map(
    data.nodes.flatMap((node) => (node && "usage" in node ? [[node.id, node.usage]] : [])),
  );
  const rows = longest
    .flatMap((branch) => {
      const usage = used.get(branch.id);
      return usage && usage.input + usage.output > 0 ? [{ branch, usage }] : [];
    })
    .sort((a, b) => b.usage.input - a.usage.input);
  return (
    <table className="w-full table-fixed text-xs">
      <thead className="text-left text-ink-3">
        <tr>
          <th scope="col" className="font-normal">
            {longest.length < LONGEST ? "Branch" : `The ${LONGEST} longest`}
          </th>
          <th scope="col" className="w-24 text-right font-normal">
            in / out
          </th>
          <th scope="col" className="w-14 text-right font-normal">
            cache
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ branch, usage }) => (
          <tr key={branch.id} className="tabular-nums">
            <th scope="row" className="truncate text-left font-normal" title={branch.label}>
              <bdi>{branch.label}</bdi>
            </th>
            <td className="text-right" title={exact(usage)}>
              {compact(usage.input)} / {compact(usage.output)}
            </td>
            <td className="text-right">{shareOf(usage)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function shareOf(usage: UsageFragment): string {
  const share = cachedShare(usage);
  return share === null ? "–" : percent(share);
}

function exact({ input, output }: UsageFragment): string {
  return `${whole(input)} in, ${whole(output)} out`;
}
