import { useSubscription } from "urql";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Markdown } from "../ui/markdown";
import { Refused } from "../ui/states";
import { ForkSuggestion } from "./fork-suggestion";
import {
  CancelMessageDocument,
  type MessageBodyFragment,
  MessageStreamDocument,
  type MessageStreamSubscription,
  RetryMessageDocument,
} from "./operations";
import { useSession } from "./session-context";
import { StepCard } from "./step-card";
import { streamedText } from "./streamed-text";
import { SuggestedArticles } from "./suggested-articles";

/** The assistant's: while it is written, how it ended, and the move that it makes. */
export function Answer({
  message,
  isInherited,
  isForked,
}: {
  message: MessageBodyFragment;
  isInherited: boolean;
  isForked: boolean;
}) {
  if (message.state === "PENDING" || message.state === "STREAMING") {
    return <Underway message={message} />;
  }
  return (
    <>
      {message.body && <Markdown text={message.body} />}
      {message.step && (
        <StepCard step={message.step} body={message.body} isInherited={isInherited} />
      )}
      {message.suggestedArticles.length > 0 && (
        <SuggestedArticles articles={message.suggestedArticles} />
      )}
      {message.suggestedFork && !isForked && !isInherited && (
        <ForkSuggestion message={message} suggestion={message.suggestedFork} />
      )}
      {(message.state === "FAILED" || message.state === "CANCELLED") && <Ended message={message} />}
    </>
  );
}

function Underway({ message }: { message: MessageBodyFragment }) {
  const cancel = useAction(CancelMessageDocument);
  const [{ data: text = "" }] = useSubscription<MessageStreamSubscription, string>(
    { query: MessageStreamDocument, variables: { messageId: message.id } },
    (soFar = "", { messageStreamed }) => streamedText(soFar, messageStreamed),
  );
  return (
    <div aria-live="polite" aria-busy className="flex flex-col gap-2">
      {text ? (
        <Markdown text={text} />
      ) : (
        <p className="animate-pulse text-ink-2">Thinking about it…</p>
      )}
      <Button
        look="quiet"
        className="self-start"
        disabled={cancel.isBusy}
        onClick={() => void cancel.run({ input: { messageId: message.id } })}
      >
        Stop
      </Button>
      <Refused refusal={cancel.refusal} />
    </div>
  );
}

function Ended({ message }: { message: MessageBodyFragment }) {
  const { isReadOnly } = useSession();
  const retry = useAction(RetryMessageDocument);
  const isFailed = message.state === "FAILED";
  return (
    <div className="flex flex-col items-start gap-2">
      <p className={isFailed ? "text-dead-end" : "text-ink-2"}>
        {isFailed ? (message.failure ?? "The answer failed.") : "Stopped."}
      </p>
      {!isReadOnly && (
        <Button
          disabled={retry.isBusy}
          onClick={() => void retry.run({ input: { messageId: message.id } })}
        >
          Try again
        </Button>
      )}
      <Refused refusal={retry.refusal} />
    </div>
  );
}
