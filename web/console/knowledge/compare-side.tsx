import { Check, GitMerge } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { IconButton } from "../ui/button";
import { Refused } from "../ui/states";
import { BranchState } from "../ui/status";
import { Finding } from "./finding-row";
import { grouped } from "./findings";
import { percent } from "./likely";
import { BranchLink } from "./links";
import { standingMerges } from "./merging";
import { type FindingRowFragment, MergeFindingsDocument, type SideFragment } from "./operations";

type ComparedBranch = SideFragment["branch"];

/** Its parts stand beside those of the other one, however long each is. */
export function CompareSide({
  side,
  other,
  isMergeable,
}: {
  side: SideFragment;
  other: ComparedBranch;
  /** Whether the viewer may bring findings into the other one. */
  isMergeable: boolean;
}) {
  const { branch, findings, messageCount, summary } = side;
  const there = standingMerges(other.merges);
  return (
    <section
      aria-label={branch.label}
      className="row-span-4 grid content-start gap-4 border-b p-4 last:border-b-0 @2xl:grid-rows-subgrid @2xl:border-b-0 @2xl:not-first:border-l"
    >
      <div>
        <h3 className="font-semibold">
          <BranchLink id={branch.id} className="hover:underline">
            {branch.label}
          </BranchLink>
        </h3>
        <p className="flex flex-wrap items-center gap-x-2 text-xs text-ink-2">
          <BranchState status={branch.status} />
          {branch.likelihood !== null && (
            <span className="tabular-nums">{percent(branch.likelihood)} likely</span>
          )}
          <span className="tabular-nums">
            {messageCount === 1 ? "1 message" : `${messageCount} messages`}
          </span>
        </p>
        {branch.statusReason && (
          <p dir="auto" className="text-ink-2">
            {branch.statusReason}
          </p>
        )}
      </div>
      <Part title="Concluded">
        {summary?.concluded ? (
          <p dir="auto">{summary.concluded}</p>
        ) : (
          <p className="text-ink-3">Nothing yet.</p>
        )}
      </Part>
      <Part title="Tried">
        {summary?.tried.length ? (
          <ul className="list-disc pl-5">
            {summary.tried.map((what) => (
              <li key={what} dir="auto">
                {what}
              </li>
            ))}
          </ul>
        ) : (
          <p className="text-ink-3">Nothing yet.</p>
        )}
      </Part>
      <Part title="Found">
        {findings.length === 0 && <p className="text-ink-3">Nothing yet.</p>}
        <div className="flex flex-col gap-3">
          {grouped(findings).map((group) => (
            <div key={group.kind}>
              <h5 className="pb-1 text-xs text-ink-3">{group.title}</h5>
              <ul className="flex flex-col gap-2">
                {group.findings.map((finding) => (
                  <li key={finding.id}>
                    {isMergeable ? (
                      <Brought
                        finding={finding}
                        other={other}
                        isThere={there.has(finding.id) || finding.branch.id === other.id}
                      />
                    ) : (
                      <Finding finding={finding} />
                    )}
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </div>
      </Part>
    </section>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <h4 className="pb-1 text-xs font-semibold text-ink-2">{title}</h4>
      {children}
    </div>
  );
}

/** A finding that can be brought into the other branch from here. */
function Brought({
  finding,
  other,
  isThere,
}: {
  finding: FindingRowFragment;
  other: ComparedBranch;
  isThere: boolean;
}) {
  const merge = useAction(MergeFindingsDocument);
  const idempotencyKey = useRef(newKey());

  async function bring(): Promise<void> {
    const input = {
      idempotencyKey: idempotencyKey.current,
      branchId: other.id,
      findingIds: [finding.id],
    };
    if (await merge.run({ input })) idempotencyKey.current = newKey();
  }

  const label = isThere ? `Is known on ${other.label}` : `Bring into ${other.label}`;
  const Icon = isThere ? Check : GitMerge;
  return (
    <>
      <Finding
        finding={finding}
        menu={
          <IconButton
            label={label}
            aria-disabled={isThere || merge.isBusy}
            onClick={() => {
              if (!isThere) void bring();
            }}
            className="size-6!"
          >
            <Icon aria-hidden className="size-3.5" />
          </IconButton>
        }
      />
      <Refused refusal={merge.refusal} className="mt-2" />
    </>
  );
}
