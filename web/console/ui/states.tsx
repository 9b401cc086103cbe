import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { CombinedError } from "urql";
import { inWords, type Refusal } from "../graph/use-action";
import { Button } from "./button";

/** Why the server said no, where the action was. What stands at one of the form's `fields`, named as the server
 * does, is not said again. */
export function Refused({
  refusal,
  fields = [],
  className = "",
}: {
  refusal: Refusal | null;
  fields?: string[];
  className?: string;
}) {
  return (
    <div role="alert" className={refusal ? className : "sr-only"}>
      {refusal && (
        <p className="flex items-start gap-2 rounded border border-dead-end/40 bg-dead-end-soft px-3 py-2 text-ink">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-dead-end" />
          <span>{besideFields(refusal, fields)}</span>
        </p>
      )}
    </div>
  );
}

/** What of it is left to say beside the fields. */
export function besideFields({ message, fields: problems }: Refusal, fields: string[]): string {
  const rest = problems.filter(({ path }) => !fields.includes(path));
  if (rest.length === problems.length) return message;
  if (rest.length === 0) return `Look at the marked ${problems.length === 1 ? "field" : "fields"}.`;
  return rest.map((problem) => problem.message).join(" ");
}

/** What the server said of one input; `path` as it names it. */
export function fieldProblem(refusal: Refusal | null, path: string): string | undefined {
  return refusal?.fields.find((field) => field.path === path)?.message;
}

/** Nothing there: one sentence, and what to do next. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-3 px-4 py-10 text-center text-ink-2">
      <p className="max-w-[48ch]">{children}</p>
      {action}
    </div>
  );
}

/** What could not be loaded, and a way to try again. It does so by itself, too, while the server is away. */
export function Failed({
  what,
  error,
  retry,
}: {
  what: string;
  error: CombinedError;
  retry: () => void;
}) {
  return (
    <div role="alert" className="flex flex-col items-center gap-3 px-4 py-10 text-center">
      <p className="max-w-[56ch] text-ink-2">
        {what} could not be loaded.{" "}
        {error.networkError ? "The server cannot be reached; it is tried again." : inWords(error)}
      </p>
      <Button onClick={retry}>Try again</Button>
    </div>
  );
}

/** Holds the place of what is loading, in its shape. */
export function Skeleton({ className = "" }: { className?: string }) {
  return <div aria-hidden className={`animate-pulse rounded bg-line/70 ${className}`} />;
}

export function SkeletonRows({ count, className }: { count: number; className: string }) {
  return (
    <div role="status" className="flex flex-col gap-3 p-4">
      <span className="sr-only">Loading</span>
      {Array.from({ length: count }, (_, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <Skeleton key={place} className={className} />
      ))}
    </div>
  );
}
