import { Check, Copy } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../ui/button";
import { Markdown } from "../ui/markdown";
import { suggestReply } from "./drafts";
import type { MessageBodyFragment } from "./operations";
import { useSession } from "./session-context";

type Step = NonNullable<MessageBodyFragment["step"]>;
type Content = Step["content"];

const TITLES: Partial<Record<Content["__typename"], string>> = {
  IntakeAnalysisStep: "Understood as",
  QuestionStep: "Question",
  ActionStep: "Do",
  VerificationStep: "Check",
  InfoRequestStep: "Needed",
  ScriptStep: "Script",
  NoteStep: "Note",
};

/** The move of the diagnosis that an answer makes. */
export function StepCard({
  step,
  body,
  isInherited,
}: {
  step: Step;
  /** Of the answer. What it has said already is not said again. */
  body: string;
  isInherited: boolean;
}) {
  const title = TITLES[step.content.__typename];
  const isSaid = wordsOf(step.content).every((words) => says(body, words));
  if (!title || (isSaid && !addsMore(step.content))) return null;
  return (
    <section
      aria-label={title}
      className="flex flex-col gap-1 rounded border border-l-3 border-line border-l-accent bg-panel px-3 py-2"
    >
      <h3 className="text-xs font-semibold text-accent">
        {title}
        {step.confidence !== null && (
          <span className="font-normal text-ink-3">
            {" "}
            · {Math.round(step.confidence * 100)} % sure
          </span>
        )}
      </h3>
      <Words content={step.content} isSaid={isSaid} isInherited={isInherited} />
    </section>
  );
}

function Words({
  content,
  isSaid,
  isInherited,
}: {
  content: Content;
  isSaid: boolean;
  isInherited: boolean;
}) {
  switch (content.__typename) {
    case "IntakeAnalysisStep":
      return (
        <>
          <p dir="auto">{content.summary}</p>
          <p className="text-ink-2">{[content.domain, ...content.signals].join(" · ")}</p>
        </>
      );
    case "QuestionStep":
      return (
        <>
          {!isSaid && <Markdown text={content.question} />}
          {!isInherited && <Choices choices={content.choices} />}
        </>
      );
    case "ActionStep":
      return <Expecting what={isSaid ? null : content.instruction} expected={content.expected} />;
    case "VerificationStep":
      return <Expecting what={isSaid ? null : content.check} expected={content.expected} />;
    case "InfoRequestStep":
      return <Markdown text={content.request} />;
    case "NoteStep":
      return <Markdown text={content.text} />;
    case "ScriptStep":
      return (
        <>
          <p dir="auto">{content.purpose}</p>
          <Script language={content.language} code={content.code} />
          {content.risk && <p className="text-revived">Risk: {content.risk}</p>}
        </>
      );
    default:
      return null;
  }
}

function Expecting({ what, expected }: { what: string | null; expected: string | null }) {
  return (
    <>
      {what && <Markdown text={what} />}
      {expected && (
        <div className="text-ink-2">
          <Markdown text={`Expect: ${expected}`} />
        </div>
      )}
    </>
  );
}

/** What a step says, apart from what only its card has: choices, what is expected, a script. */
function wordsOf(content: Content): string[] {
  switch (content.__typename) {
    case "QuestionStep":
      return [content.question];
    case "ActionStep":
      return [content.instruction];
    case "VerificationStep":
      return [content.check];
    case "InfoRequestStep":
      return [content.request];
    case "NoteStep":
      return [content.text];
    default:
      return [];
  }
}

function addsMore(content: Content): boolean {
  switch (content.__typename) {
    case "QuestionStep":
      return content.choices.length > 0;
    case "ActionStep":
    case "VerificationStep":
      return content.expected !== null;
    default:
      return content.__typename === "IntakeAnalysisStep" || content.__typename === "ScriptStep";
  }
}

/** Whether a text has the words, however it sets them. */
export function says(text: string, words: string): boolean {
  return bare(text).includes(bare(words));
}

function bare(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** Answers that can be given with one click; they go into the composer, to be sent or changed. */
function Choices({ choices }: { choices: string[] }) {
  const { shownId, isReadOnly } = useSession();
  if (choices.length === 0 || isReadOnly) return null;
  return (
    <p className="mt-1 flex flex-wrap gap-2">
      {choices.map((choice) => (
        <Button key={choice} onClick={() => suggestReply(shownId, choice)}>
          {choice}
        </Button>
      ))}
    </p>
  );
}

function Script({ language, code }: { language: string; code: string }) {
  return (
    <div className="relative">
      <pre
        tabIndex={0}
        title={language}
        className="overflow-x-auto rounded border bg-ground p-2.5 pr-24 font-mono text-xs"
      >
        {code}
      </pre>
      <CopyButton text={code} className="absolute top-1.5 right-1.5" />
    </div>
  );
}

function CopyButton({ text, className }: { text: string; className: string }): ReactNode {
  const [isCopied, setIsCopied] = useState(false);
  const Icon = isCopied ? Check : Copy;
  return (
    <Button
      className={className}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setIsCopied(true))}
    >
      <Icon aria-hidden className="size-3.5" />
      {isCopied ? "Copied" : "Copy"}
    </Button>
  );
}
