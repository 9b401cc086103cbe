import {
  CircleCheck,
  CircleX,
  ClipboardCheck,
  Clock,
  LoaderCircle,
  type LucideIcon,
  PencilLine,
  Send,
  TriangleAlert,
} from "lucide-react";
import type { DeliveryState, ResolutionOutputStatus } from "./operations";

interface Sign {
  icon: LucideIcon;
  word: string;
  ink: string;
}

const DOCUMENT_SIGNS: Record<ResolutionOutputStatus, Sign> = {
  GENERATING: { icon: LoaderCircle, word: "Generating", ink: "text-accent" },
  DRAFT: { icon: PencilLine, word: "Draft", ink: "text-ink-2" },
  APPROVED: { icon: CircleCheck, word: "Approved", ink: "text-solved" },
  REJECTED: { icon: CircleX, word: "Rejected", ink: "text-dead-end" },
  PUSHED: { icon: Send, word: "Pushed", ink: "text-solved" },
  FAILED: { icon: TriangleAlert, word: "Failed", ink: "text-dead-end" },
};

const DELIVERY_SIGNS: Record<DeliveryState, Sign> = {
  QUEUED: { icon: Clock, word: "Queued", ink: "text-ink-2" },
  SENDING: { icon: LoaderCircle, word: "Sending", ink: "text-accent" },
  DELIVERED: { icon: CircleCheck, word: "Delivered", ink: "text-solved" },
  FAILED: { icon: CircleX, word: "Failed", ink: "text-dead-end" },
  TAKEN: { icon: ClipboardCheck, word: "Taken", ink: "text-ink-2" },
};

export function DocumentState({ status }: { status: ResolutionOutputStatus }) {
  return <State sign={DOCUMENT_SIGNS[status]} />;
}

export function DeliveryMark({ state }: { state: DeliveryState }) {
  return <State sign={DELIVERY_SIGNS[state]} />;
}

/** The shape alone, with its word for those who cannot see it or point at it. */
export function DocumentGlyph({ status }: { status: ResolutionOutputStatus }) {
  const { word, ink } = DOCUMENT_SIGNS[status];
  return (
    <span role="img" aria-label={word} title={word} className={`inline-flex ${ink}`}>
      <Shape sign={DOCUMENT_SIGNS[status]} />
    </span>
  );
}

function State({ sign }: { sign: Sign }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 text-xs font-medium whitespace-nowrap ${sign.ink}`}
    >
      <Shape sign={sign} />
      {sign.word}
    </span>
  );
}

function Shape({ sign: { icon: Icon } }: { sign: Sign }) {
  return (
    <Icon
      aria-hidden
      strokeWidth={2.25}
      className={`size-3.5 shrink-0 ${Icon === LoaderCircle ? "animate-spin" : ""}`}
    />
  );
}
