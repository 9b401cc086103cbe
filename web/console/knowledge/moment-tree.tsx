import { useEffect, useMemo, useRef } from "react";
import { Failed, SkeletonRows } from "../ui/states";
import { BranchGlyph, Likelihood, SessionState } from "../ui/status";
import { Moment } from "../ui/time";
import { changedSince } from "./changes";
import { BranchLink, WaysProvider } from "./links";
import type { MomentOfSession, MomentShown } from "./use-moment";
import { useNavigation } from "./use-navigation";

const INTENTS = { ESCALATE: "Waited escalated", PARK: "Waited parked" };

/** The tree as it was at a moment; what is not as it was at the one shown before stands out. */
export function MomentTree({
  sessionId,
  moment: { at, before, isCurrent, error, reload },
}: {
  sessionId: string;
  moment: MomentShown;
}) {
  const ways = useNavigation(sessionId);
  const changed = useMemo(() => changedSince(before, at), [before, at]);
  const first = useRef<HTMLLIElement>(null);
  useEffect(() => {
    first.current?.scrollIntoView({ block: "nearest" });
  }, [at]);

  if (!at) {
    return error ? (
      <Failed what="The tree of then" error={error} retry={reload} />
    ) : (
      <SkeletonRows count={5} className="h-6" />
    );
  }
  const firstChanged = at.branches.find(({ branch }) => changed.has(branch.id))?.branch.id;
  return (
    <WaysProvider value={ways}>
      <Head at={at} />
      <ul
        aria-label="Branches at that moment"
        aria-busy={!isCurrent}
        className="min-h-0 w-full max-w-180 flex-1 overflow-y-auto px-2 py-2"
      >
        {at.branches.map(({ branch, label, status, isActive, likelihood }) => (
          <li
            key={branch.id}
            ref={branch.id === firstChanged ? first : undefined}
            data-changed={changed.has(branch.id) || undefined}
            style={{ paddingInlineStart: 8 + branch.depth * 16 }}
            className="flex min-h-7 scroll-my-7 items-center gap-2 rounded pr-2 transition-colors [contain-intrinsic-size:auto_28px] [content-visibility:auto] data-changed:bg-accent-soft"
          >
            <BranchGlyph status={status} />
            <BranchLink
              id={branch.id}
              className={`min-w-0 truncate hover:underline ${isActive ? "font-medium" : ""} ${status === "DEAD_END" ? "text-ink-3 line-through" : ""}`}
            >
              {label}
            </BranchLink>
            {isActive && <span className="text-xs text-accent">worked on</span>}
            {likelihood !== null && (
              <Likelihood value={likelihood} className="ml-auto w-10 shrink-0 text-ink-2" />
            )}
          </li>
        ))}
      </ul>
    </WaysProvider>
  );
}

function Head({ at: { status, assignee, openHandoff } }: { at: MomentOfSession }) {
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-2 text-xs text-ink-2">
      <SessionState status={status} />
      <span>
        with <bdi>{assignee.displayName}</bdi>
      </span>
      {openHandoff && (
        <span>
          {INTENTS[openHandoff.intent]}
          {openHandoff.priority === "ELEVATED" && ", elevated"}, since{" "}
          <Moment at={openHandoff.waitingSince} />
        </span>
      )}
    </p>
  );
}
