import { useContext } from "react";
import { BranchGlyph } from "../ui/status";
import { Moment } from "../ui/time";
import { DARK, GroundingContext } from "./grounded-text";
import type { Grounds, Sentence, Source } from "./grounds";

/** What the sentences rest on, by the numbers in the text; before that, what rests on nothing. */
export function Sources({
  grounds,
  sentences,
  summary,
  onShowSentence,
  onShowMessage,
}: {
  grounds: Grounds;
  sentences: Sentence[];
  /** How the session was said to be resolved. */
  summary: string | null;
  onShowSentence: (place: number) => void;
  onShowMessage: (branchId: string, messageId: string) => void;
}) {
  const grounding = useContext(GroundingContext);
  const { sources, unsupported } = grounds;
  const point = (pointed: number[], at: number[]) => ({
    onFocus: () => grounding?.setLight({ sentences: pointed, sources: at }),
    onBlur: () => grounding?.setLight(DARK),
    onPointerEnter: () => grounding?.setLight({ sentences: pointed, sources: at }),
    onPointerLeave: () => grounding?.setLight(DARK),
  });
  return (
    <aside aria-label="Sources" className="flex min-w-0 flex-col gap-4 text-xs">
      {unsupported.length > 0 && (
        <section className="flex flex-col gap-1">
          <h3 className="font-medium text-revived">Rests on nothing recorded</h3>
          <ul className="flex flex-col">
            {unsupported.map((place) => (
              <li key={place}>
                <button
                  type="button"
                  dir="auto"
                  onClick={() => onShowSentence(place)}
                  {...point([place], [])}
                  className={`${ROW} text-start text-ink-2 hover:text-ink`}
                >
                  <span className="sr-only">Show in the text: </span>
                  <span className="line-clamp-2">{sentences[place]?.text}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {sources.length > 0 && (
        <section className="flex flex-col gap-1">
          <h3 className="font-medium text-ink-2">Sources</h3>
          <ol className="flex flex-col">
            {sources.map((source, place) => (
              <li
                key={source.key}
                id={grounding?.sourceId(place)}
                className={`flex gap-1 rounded transition-colors ${grounding?.light.sources.includes(place) ? "bg-accent-soft" : ""}`}
                {...point(source.sentences, [place])}
              >
                <span className="w-5 shrink-0 py-1 text-end font-medium text-ink-3 tabular-nums">
                  {place + 1}
                </span>
                <Recorded source={source} summary={summary} onShowMessage={onShowMessage} />
              </li>
            ))}
          </ol>
        </section>
      )}
    </aside>
  );
}

const ROW = "flex min-w-0 flex-1 flex-col rounded px-2 py-1";

function Recorded({
  source,
  summary,
  onShowMessage,
}: {
  source: Source;
  summary: string | null;
  onShowMessage: (branchId: string, messageId: string) => void;
}) {
  if (source.kind === "message") {
    const { id, author, branch, createdAt, body } = source.message;
    return (
      <button
        type="button"
        title="Show in the conversation"
        onClick={() => onShowMessage(branch.id, id)}
        className={`${ROW} text-start`}
      >
        <span className="sr-only">Show in the conversation: </span>
        <span className="text-ink-2">
          <span className="font-medium text-ink">{author?.displayName ?? "Assistant"}</span>
          {" on "}
          {branch.label}
          {", "}
          <Moment at={createdAt} />
        </span>
        <Quote text={body} />
      </button>
    );
  }
  return (
    <div className={ROW}>
      {source.kind === "branch" && source.branch && (
        <>
          <span className="flex items-baseline gap-1.5 font-medium">
            <BranchGlyph status={source.branch.status} className="translate-y-0.5" />
            <span dir="auto">{source.branch.label}</span>
          </span>
          {source.branch.statusReason && <Quote text={source.branch.statusReason} />}
        </>
      )}
      {source.kind === "branch" && !source.branch && <span>What became of a branch</span>}
      {source.kind === "summary" && (
        <>
          <span className="font-medium">Resolution summary</span>
          {summary && <Quote text={summary} />}
        </>
      )}
      {source.kind === "absence" && (
        <>
          <span className="font-medium">An absence</span>
          <span className="text-ink-2">Nothing of the kind is recorded.</span>
        </>
      )}
    </div>
  );
}

function Quote({ text }: { text: string }) {
  return (
    <span dir="auto" className="line-clamp-2 text-ink-2">
      {text}
    </span>
  );
}
