import { createContext, useContext, useMemo } from "react";
import type { Components, ExtraProps } from "react-markdown";
import { Markdown } from "../ui/markdown";
import type { Grounds, Sentence } from "./grounds";
import { markSentences } from "./sentence-marks";

/** Which sentences and sources are pointed at together. */
export interface Light {
  sentences: number[];
  sources: number[];
}

export const DARK: Light = { sentences: [], sources: [] };

interface Grounding {
  grounds: Grounds;
  /** Of the element that shows a source. */
  sourceId: (place: number) => string;
  light: Light;
  setLight: (light: Light) => void;
  showSource: (place: number) => void;
}

export const GroundingContext = createContext<Grounding | null>(null);

/** A document in which each sentence shows what it rests on. */
export function GroundedText({
  text,
  sentences,
  grounds,
}: {
  text: string;
  sentences: Sentence[];
  grounds: Grounds;
}) {
  const plugins = useMemo(() => {
    const marked = sentences.map((each, at) => ({ text: each.text, note: noteOf(grounds, at) }));
    return [() => markSentences(marked)];
  }, [sentences, grounds]);
  return <Markdown text={text} plugins={plugins} components={COMPONENTS} />;
}

const COMPONENTS: Components = { span: MarkedSentence, sup: Note };

function noteOf({ of, unsupported }: Grounds, sentence: number): string {
  return unsupported.includes(sentence) ? `none ${sentence}` : String(of[sentence]);
}

function MarkedSentence({ node, children }: React.ComponentProps<"span"> & ExtraProps) {
  const grounding = useContext(GroundingContext);
  const sentence = node?.properties.dataSentence;
  if (!grounding || typeof sentence !== "number") return <span>{children}</span>;
  const { grounds, light, setLight } = grounding;
  const isLit = light.sentences.includes(sentence);
  const isUnsupported = grounds.unsupported.includes(sentence);
  return (
    <span
      data-sentence={sentence}
      onPointerEnter={() =>
        setLight({ sentences: [sentence], sources: grounds.of[sentence] ?? [] })
      }
      onPointerLeave={() => setLight(DARK)}
      className={`rounded-[3px] transition-colors ${isLit ? "bg-accent-soft" : ""} ${
        isUnsupported
          ? "underline decoration-revived decoration-wavy decoration-1 underline-offset-4"
          : ""
      }`}
    >
      {children}
    </span>
  );
}

/** The numbers of a sentence's sources, which lead there; or, said only, that it has none. */
function Note({ node, children }: React.ComponentProps<"sup"> & ExtraProps) {
  const grounding = useContext(GroundingContext);
  const sentence = node?.properties.dataSentence;
  if (!grounding || typeof sentence !== "number") return <sup>{children}</sup>;
  const { grounds, sourceId, setLight, showSource } = grounding;
  if (grounds.unsupported.includes(sentence)) {
    return <span className="sr-only"> (rests on nothing recorded)</span>;
  }
  const sources = [...(grounds.of[sentence] ?? [])].sort((a, b) => a - b);
  const [first] = sources;
  if (first === undefined) return null;
  const numbers = sources.map((place) => place + 1);
  const light = () => setLight({ sentences: [sentence], sources });
  return (
    <sup className="select-none">
      <a
        href={`#${sourceId(first)}`}
        onClick={(event) => {
          event.preventDefault();
          showSource(first);
        }}
        onFocus={light}
        onBlur={() => setLight(DARK)}
        onPointerEnter={light}
        onPointerLeave={() => setLight(DARK)}
        className="rounded-[3px] px-0.5 text-[11px] font-medium whitespace-nowrap text-accent tabular-nums hover:bg-accent-soft"
      >
        <span className="sr-only">Source </span>
        {numbers.join(",")}
      </a>
    </sup>
  );
}
