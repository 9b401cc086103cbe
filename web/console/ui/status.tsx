import {
  Circle,
  CircleCheck,
  CircleDot,
  CirclePause,
  CircleX,
  type LucideIcon,
  RotateCw,
  TriangleAlert,
} from "lucide-react";

export type BranchStatus = "UNTRIED" | "ACTIVE" | "DEAD_END" | "SOLVED" | "REVIVED";
export type SessionStatus = "ACTIVE" | "PAUSED" | "ESCALATED" | "RESOLVED" | "ABANDONED";

interface Sign {
  icon: LucideIcon;
  word: string;
  ink: string;
}

/** Each status by its shape, its word and its hue; never by the hue alone. */
export const BRANCH_SIGNS: Record<BranchStatus, Sign> = {
  UNTRIED: { icon: Circle, word: "Untried", ink: "text-ink-3" },
  ACTIVE: { icon: CircleDot, word: "Active", ink: "text-accent" },
  DEAD_END: { icon: CircleX, word: "Dead end", ink: "text-dead-end" },
  SOLVED: { icon: CircleCheck, word: "Solved", ink: "text-solved" },
  REVIVED: { icon: RotateCw, word: "Revived", ink: "text-revived" },
};

export const SESSION_SIGNS: Record<SessionStatus, Sign> = {
  ACTIVE: { icon: CircleDot, word: "Active", ink: "text-accent" },
  PAUSED: { icon: CirclePause, word: "Parked", ink: "text-ink-2" },
  ESCALATED: { icon: TriangleAlert, word: "Escalated", ink: "text-dead-end" },
  RESOLVED: { icon: CircleCheck, word: "Resolved", ink: "text-solved" },
  ABANDONED: { icon: CircleX, word: "Abandoned", ink: "text-ink-3" },
};

/** The shape alone, with its word for those who cannot see it or point at it. */
export function BranchGlyph({
  status,
  className = "",
}: {
  status: BranchStatus;
  className?: string;
}) {
  const { icon: Icon, word, ink } = BRANCH_SIGNS[status];
  return (
    <span role="img" aria-label={word} title={word} className={`inline-flex ${ink} ${className}`}>
      <Icon aria-hidden strokeWidth={2.25} className="size-3.5" />
    </span>
  );
}

export function BranchState({ status, className }: { status: BranchStatus; className?: string }) {
  return <State sign={BRANCH_SIGNS[status]} className={className} />;
}

export function SessionState({ status, className }: { status: SessionStatus; className?: string }) {
  return <State sign={SESSION_SIGNS[status]} className={className} />;
}

function State({ sign, className = "" }: { sign: Sign; className?: string | undefined }) {
  const { icon: Icon, word, ink } = sign;
  return (
    <span
      className={`inline-flex items-center gap-1.5 text-xs font-medium whitespace-nowrap ${ink} ${className}`}
    >
      <Icon aria-hidden strokeWidth={2.25} className="size-3.5" />
      {word}
    </span>
  );
}

/** 0 to 1 as a slim bar; the number is said and shown on hover. */
export function Likelihood({ value, className = "" }: { value: number; className?: string }) {
  const percent = Math.round(value * 100);
  return (
    <span
      role="img"
      aria-label={`${percent} % likely`}
      title={`${percent} % likely`}
      className={`inline-block h-1 overflow-hidden rounded bg-line ${className}`}
    >
      <span className="block h-full bg-current" style={{ width: `${percent}%` }} />
    </span>
  );
}
