import { type ReactNode, useId, useMemo, useRef, useState } from "react";
import { Skeleton } from "../ui/states";
import { DARK, GroundedText, GroundingContext } from "./grounded-text";
import type { Grounds } from "./grounds";
import type { WholeDocumentFragment } from "./operations";
import { Sources } from "./sources";

/** Text left, sources right; on a narrow page one below the other. */
export function GroundedDocument({
  document,
  grounds,
  summary,
  editor,
  onShowMessage,
}: {
  document: WholeDocumentFragment;
  grounds: Grounds;
  summary: string | null;
  /** In the place of the text. */
  editor: ReactNode;
  onShowMessage: (branchId: string, messageId: string) => void;
}) {
  const [light, setLight] = useState(DARK);
  const text = useRef<HTMLElement>(null);
  const id = useId();
  const { content, status, sentences, article } = document;
  const grounding = useMemo(() => {
    const sourceId = (place: number) => `${id}-source-${place}`;
    return {
      grounds,
      sourceId,
      light,
      setLight,
      showSource: (place: number) => {
        const source = window.document.getElementById(sourceId(place));
        source?.scrollIntoView({ block: "nearest" });
        source?.querySelector("button")?.focus({ preventScroll: true });
      },
    };
  }, [id, grounds, light]);
  if (content === null && !editor) {
    return status === "GENERATING" ? <TextSkeleton /> : null;
  }
  return (
    <GroundingContext value={grounding}>
      <div className="grid items-start gap-x-8 gap-y-6 @min-[680px]:grid-cols-[minmax(0,1fr)_260px] @min-[900px]:grid-cols-[minmax(0,1fr)_300px]">
        <article
          ref={text}
          aria-label="Text"
          className={`flex min-w-0 flex-col gap-4 ${editor ? "" : "max-w-[72ch]"} ${status === "GENERATING" ? "text-ink-3" : ""}`}
        >
          {editor ?? <GroundedText text={content ?? ""} sentences={sentences} grounds={grounds} />}
          {article && article.tags.length > 0 && (
            <p className="text-xs text-ink-2">Tags: {article.tags.join(", ")}</p>
          )}
        </article>
        <Sources
          grounds={grounds}
          sentences={sentences}
          summary={summary}
          onShowSentence={(place) =>
            text.current
              ?.querySelector(`[data-sentence="${place}"]`)
              ?.scrollIntoView({ block: "center" })
          }
          onShowMessage={onShowMessage}
        />
      </div>
    </GroundingContext>
  );
}

function TextSkeleton() {
  return (
    <div className="flex max-w-[72ch] flex-col gap-3">
      <Skeleton className="h-5 w-32" />
      <Skeleton className="h-4" />
      <Skeleton className="h-4 w-4/5" />
      <Skeleton className="mt-3 h-5 w-40" />
      <Skeleton className="h-4" />
      <Skeleton className="h-4 w-11/12" />
      <Skeleton className="h-4 w-3/5" />
    </div>
  );
}
