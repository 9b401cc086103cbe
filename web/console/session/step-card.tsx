import { Check, Copy } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../ui/button";
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
export function StepCard({ step, isInherited }: { step: Step; isInherited: boolean }) {
  const title = TITLES[step.content.__typename];
  if (!title) return null;
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
      <Words content={step.content} isInherited={isInherited} />
    </section>
  );
}

function Words({ content, isInherited }: { content: Content; isInherited: boolean }) {
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
          <p dir="auto">{content.question}</p>
          {!isInherited && <Choices choices={content.choices} />}
        </>
      );
    case "ActionStep":
      return <Expecting what={content.instruction} expected={content.expected} />;
    case "VerificationStep":
      return <Expecting what={content.check} expected={content.expected} />;
    case "InfoRequestStep":
      return <p dir="auto">{content.request}</p>;
    case "NoteStep":
      return <p dir="auto">{content.text}</p>;
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

function Expecting({ what, expected }: { what: string; expected: string | null }) {
  return (
    <>
      <p dir="auto">{what}</p>
      {expected && (
        <p dir="auto" className="text-ink-2">
          Expect: {expected}
        </p>
      )}
    </>
  );
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
