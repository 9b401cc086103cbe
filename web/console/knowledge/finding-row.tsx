import { Circle, CircleCheck, CircleX, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Moment } from "../ui/time";
import { Told } from "./file-names";
import { Sources } from "./links";
import type { FindingKind, FindingRowFragment } from "./operations";

const SIGNS: Record<FindingKind, { icon: LucideIcon; word: string; ink: string }> = {
  RULED_OUT: { icon: CircleX, word: "Ruled out", ink: "text-dead-end" },
  CONFIRMED: { icon: CircleCheck, word: "Confirmed", ink: "text-solved" },
  OBSERVED: { icon: Circle, word: "Observed", ink: "text-ink-3" },
};

export function FindingGlyph({ kind, className = "" }: { kind: FindingKind; className?: string }) {
  const { icon: Icon, word, ink } = SIGNS[kind];
  return (
    <span
      role="img"
      aria-label={word}
      title={word}
      className={`inline-flex shrink-0 ${ink} ${className}`}
    >
      <Icon aria-hidden strokeWidth={2.25} className="size-3.5" />
    </span>
  );
}

/** A claim, with the way to the messages that carry it. */
export function Finding({ finding, menu }: { finding: FindingRowFragment; menu?: ReactNode }) {
  const isWithdrawn = finding.withdrawnAt !== null;
  return (
    <div className="group flex items-start gap-2">
      <FindingGlyph kind={finding.kind} className="mt-1" />
      <div className="min-w-0 flex-1">
        <p dir="auto">
          {isWithdrawn ? (
            <del className="text-ink-3">
              <Told>{finding.claim}</Told>
            </del>
          ) : (
            <Told>{finding.claim}</Told>
          )}
        </p>
        <p className="text-xs text-ink-3">
          <Sources messages={finding.evidence} />
        </p>
        {finding.withdrawnAt && (
          <p className="text-xs text-ink-3">
            Withdrawn <Moment at={finding.withdrawnAt} />
          </p>
        )}
      </div>
      {menu}
    </div>
  );
}
