import { inWords } from "../graph/use-action";
import type { More } from "../graph/use-more";
import { Button } from "./button";

/** Below a list that has not come to its end. */
export function ShowMore<Variables>({
  more,
  variables,
}: {
  more: More<Variables>;
  variables: Variables;
}) {
  return (
    <div className="flex flex-col items-center gap-2">
      <Button disabled={more.isBusy} onClick={() => more.load(variables)}>
        {more.isBusy ? "Loading…" : "Show more"}
      </Button>
      <p role="alert" className="text-xs text-dead-end">
        {more.error && inWords(more.error)}
      </p>
    </div>
  );
}
