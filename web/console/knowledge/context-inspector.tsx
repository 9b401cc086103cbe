import { Fragment } from "react";
import { useQuery } from "urql";
import { Dialog } from "../ui/dialog";
import { Failed, SkeletonRows } from "../ui/states";
import { whole } from "./numbers";
import { ModelPromptDocument, type ModelPromptQuery } from "./operations";
import { partOf } from "./prompt-parts";

type Prompt = NonNullable<ModelPromptQuery["messagePrompt"]>;
type PromptMessage = Prompt["messages"][number];

/** Exactly what the model was sent for an answer. */
export function ContextInspector({
  messageId,
  isOpen,
  onClose,
}: {
  messageId: string;
  isOpen: boolean;
  onClose: () => void;
}) {
  return (
    <Dialog title="What the model received" isOpen={isOpen} onClose={onClose} width="max-w-4xl">
      <Loaded messageId={messageId} />
    </Dialog>
  );
}

function Loaded({ messageId }: { messageId: string }) {
  const [{ data, error }, reload] = useQuery({
    query: ModelPromptDocument,
    variables: { messageId },
    requestPolicy: "cache-and-network",
  });
  if (!data) {
    return error ? (
      <Failed what="The prompt" error={error} retry={() => reload()} />
    ) : (
      <SkeletonRows count={5} className="h-12" />
    );
  }
  if (!data.messagePrompt) {
    return (
      <p>
        No model was asked for this answer. The offline playbook wrote it by fixed rules, without
        AI.
      </p>
    );
  }
  return <Shown prompt={data.messagePrompt} />;
}

function Shown({
  prompt: { system, messages, sharedCount, settledCount, isExact },
}: {
  prompt: Prompt;
}) {
  const texts = [...system, ...messages.flatMap((message) => message.texts)];
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return (
    <>
      <p className="text-ink-2">
        {whole(messages.length)} messages, {whole(characters)} characters, in this order. Secrets
        had been taken out before.
      </p>
      {!isExact && (
        <p className="rounded border border-revived/40 bg-revived-soft px-3 py-2">
          An earlier message has been answered anew since: this is what would be sent today.
        </p>
      )}
      <section aria-label="System" className="flex flex-col gap-2">
        <Mark>System, the same for all branches</Mark>
        {system.map((text) => (
          <Text key={text}>{text}</Text>
        ))}
      </section>
      <ol className="flex flex-col gap-3">
        {messages.map((message, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a prompt never changes
          <Fragment key={place}>
            {place === partOf(place, sharedCount, settledCount).begin && (
              <li>
                <Mark>{partOf(place, sharedCount, settledCount).words}</Mark>
              </li>
            )}
            <li>
              <Message message={message} isLast={place === messages.length - 1} />
            </li>
          </Fragment>
        ))}
      </ol>
    </>
  );
}

function Mark({ children }: { children: string }) {
  return (
    <h3 className="flex items-center gap-3 text-xs font-semibold text-ink-2 after:h-px after:flex-1 after:bg-line">
      {children}
    </h3>
  );
}

function Message({
  message: { role, texts, imageCount },
  isLast,
}: {
  message: PromptMessage;
  isLast: boolean;
}) {
  const who = role === "ASSISTANT" ? "Assistant" : "User";
  return (
    <article className="flex flex-col gap-1 [contain-intrinsic-size:auto_120px] [content-visibility:auto]">
      <h4 className="text-xs text-ink-3">
        {isLast ? `${who}: the question` : who}
        {imageCount > 0 && ` · ${imageCount === 1 ? "1 picture" : `${imageCount} pictures`}`}
      </h4>
      {texts.map((text, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a prompt never changes
        <Text key={place}>{text}</Text>
      ))}
    </article>
  );
}

function Text({ children }: { children: string }) {
  return (
    <pre
      dir="auto"
      className="rounded border bg-ground px-2.5 py-2 font-mono text-xs whitespace-pre-wrap"
    >
      {children}
    </pre>
  );
}
