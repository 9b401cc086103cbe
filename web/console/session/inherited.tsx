import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import { Failed, SkeletonRows } from "../ui/states";
import { BranchGlyph } from "../ui/status";
import { Message } from "./message";
import type { BranchRowFragment } from "./operations";
import { useSession } from "./session-context";
import { lastInherited } from "./tree";
import { useConversation } from "./use-conversation";

/** What was said before the branch left its parent, folded under one bar. */
export function Inherited({
  branch,
  lineage,
}: {
  branch: BranchRowFragment;
  lineage: BranchRowFragment[];
}) {
  const { forkPoints } = useSession();
  const [isOpen, setIsOpen] = useState(false);
  const parent = lineage.at(-1);
  const count = lastInherited(branch, forkPoints);
  if (!parent || count === 0) return null;
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <section aria-label="Before the fork" className="flex flex-col gap-5">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        className="flex min-h-9 items-center gap-2.5 rounded border border-dashed border-edge/60 px-3 text-left text-xs text-ink-2 transition-colors hover:bg-hover"
      >
        <BranchGlyph status={parent.status} />
        <span className="min-w-0 flex-1 truncate" dir="auto">
          From {nameOf(lineage)} · {count} {count === 1 ? "message" : "messages"} before the fork
        </span>
        <Chevron aria-hidden className="size-4" />
      </button>
      {isOpen &&
        lineage.map((ancestor, place) => (
          <Segment
            key={ancestor.id}
            branch={ancestor}
            last={lastInherited(lineage[place + 1] ?? branch, forkPoints)}
          />
        ))}
    </section>
  );
}

/** An ancestor's own messages, up to where the next branch left it. */
function Segment({ branch, last }: { branch: BranchRowFragment; last: number }) {
  const { fresh } = useSession();
  const { messages, error, reload } = useConversation(branch, fresh);
  if (error && !messages) return <Failed what={branch.label} error={error} retry={reload} />;
  if (!messages && branch.messageCount > 0) return <SkeletonRows count={2} className="h-12" />;
  return (
    <div className="flex flex-col gap-5 border-l-2 pl-4">
      <p className="text-xs font-medium text-ink-2" dir="auto">
        {branch.label}
      </p>
      {messages?.edges
        .filter(({ node }) => node.position <= last)
        .map(({ node }) => (
          <Message key={node.id} message={node} isInherited />
        ))}
    </div>
  );
}

function nameOf(lineage: BranchRowFragment[]): string {
  const names = lineage.map(({ label }) => label);
  return names.length > 2 ? `${names[0]} … ${names.at(-1)}` : names.join(", ");
}
