import { CircleAlert, CircleCheck, File, LoaderCircle, RotateCw, X } from "lucide-react";
import { size } from "../ui/size";
import type { UploadRowFragment } from "./operations";

type State = UploadRowFragment["state"] | "UPLOADING";

const WORDS: Record<State, string> = {
  UPLOADING: "Uploading…",
  STORED: "Stored",
  DESCRIBING: "Being read…",
  DESCRIBED: "Read",
  FAILED: "Failed",
};

/** A file by its name and size, how far it is, and what is in it once that was read. */
export function FileChip({
  name,
  bytes,
  state,
  about,
  problem,
  onRetry,
  onRemove,
}: {
  name: string;
  bytes: number;
  state: State;
  /** What is in it. */
  about?: string | null | undefined;
  problem?: string | null | undefined;
  onRetry?: (() => void) | undefined;
  onRemove?: () => void;
}) {
  const hasFailed = state === "FAILED";
  return (
    <li
      className={`flex min-h-8 max-w-full min-w-0 flex-wrap items-center gap-x-2 rounded border bg-panel pl-2 text-xs ${hasFailed ? "w-full border-dead-end/50" : ""}`}
    >
      <StateGlyph state={state} />
      <span dir="auto" title={about ?? name} className="max-w-56 truncate font-medium">
        {name}
      </span>
      <span className="text-ink-3 tabular-nums">{size(bytes)}</span>
      <span className={hasFailed ? "text-dead-end" : "text-ink-2"}>{WORDS[state]}</span>
      <span className="ml-auto flex">
        {hasFailed && onRetry && (
          <Small label={`Try ${name} again`} onClick={onRetry}>
            <RotateCw aria-hidden className="size-3.5" />
          </Small>
        )}
        {onRemove && (
          <Small label={`Remove ${name}`} onClick={onRemove}>
            <X aria-hidden className="size-3.5" />
          </Small>
        )}
      </span>
      {hasFailed && problem && (
        <span role="alert" className="w-full pr-2 pb-1 text-dead-end">
          {problem}
        </span>
      )}
    </li>
  );
}

function StateGlyph({ state }: { state: State }) {
  const look = "size-3.5 shrink-0";
  if (state === "FAILED") return <CircleAlert aria-hidden className={`${look} text-dead-end`} />;
  if (state === "DESCRIBED") return <CircleCheck aria-hidden className={`${look} text-solved`} />;
  if (state === "STORED") return <File aria-hidden className={`${look} text-ink-3`} />;
  return <LoaderCircle aria-hidden className={`${look} animate-spin text-ink-3`} />;
}

function Small({
  label,
  onClick,
  children,
}: {
  label: string;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="inline-flex size-7 items-center justify-center rounded text-ink-2 hover:bg-hover hover:text-ink"
    >
      {children}
    </button>
  );
}
