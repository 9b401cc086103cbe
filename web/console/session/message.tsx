import { memo } from "react";
import { useViewer } from "../shell/viewer";
import { Avatar } from "../ui/avatar";
import { Markdown } from "../ui/markdown";
import { Moment } from "../ui/time";
import { Answer } from "./answer";
import { Attachments } from "./attachments";
import { MessageMenu } from "./message-menu";
import type { MessageBodyFragment } from "./operations";

export const Message = memo(function Message({
  message,
  isLast = false,
  isForked = false,
  isInherited = false,
}: {
  message: MessageBodyFragment;
  isLast?: boolean;
  isForked?: boolean;
  isInherited?: boolean;
}) {
  const viewer = useViewer();
  if (message.role === "NOTE") return <Note message={message} />;
  const isAnswer = message.role === "ASSISTANT";
  const name = message.author?.displayName ?? (isAnswer ? "Assistant" : "FlowPilot");
  const isMine = message.author?.id === viewer.id;
  return (
    <article
      id={isInherited ? undefined : message.id}
      aria-label={`${name}, message ${message.position}`}
      className="group/message flex scroll-mt-4 gap-2 [contain-intrinsic-size:auto_120px] [content-visibility:auto]"
    >
      {isAnswer ? <AssistantMark /> : <Avatar name={name} className="mt-px" />}
      <div className="flex min-w-0 flex-1 flex-col gap-2">
        <header className="flex min-h-6 flex-wrap items-center gap-x-2 text-xs text-ink-3">
          <span className="text-sm font-semibold text-ink">{isMine ? "You" : name}</span>
          <Moment at={message.createdAt} />
          {isAnswer && <Provenance message={message} />}
          <MessageMenu
            message={message}
            isLast={isLast}
            isForked={isForked}
            isInherited={isInherited}
          />
        </header>
        {isAnswer ? (
          <Answer message={message} isInherited={isInherited} isForked={isForked} />
        ) : (
          message.body && <Markdown text={message.body} />
        )}
        {message.attachments.length > 0 && <Attachments uploads={message.attachments} />}
      </div>
    </article>
  );
});

/** What the record says of itself, as that the branch came back; `[Branch Revived]` is for those who read plain
 * text. */
function Note({ message }: { message: MessageBodyFragment }) {
  const { author, body, createdAt, id, position } = message;
  return (
    <article
      id={id}
      aria-label={`Note, message ${position}`}
      className="scroll-mt-4 border-l-2 pl-3 text-xs text-ink-2"
    >
      <Moment at={createdAt} className="text-ink-3" />{" "}
      {author && <bdi className="font-medium">{author.displayName}: </bdi>}
      <span dir="auto">{body.replace(/^\[[^\]]*\] /, "")}</span>
    </article>
  );
}

function AssistantMark() {
  return (
    <span
      aria-hidden
      className="mt-px inline-flex size-6 shrink-0 items-center justify-center rounded-full bg-line text-[10px] font-semibold text-ink-2"
    >
      AI
    </span>
  );
}

/** What wrote it, and how much of what it read came from the cache. */
function Provenance({ message: { model, usage } }: { message: MessageBodyFragment }) {
  if (model === "playbook") {
    return <span title="Written-out checks; no model was asked">Playbook, no model</span>;
  }
  if (!usage?.input) return null;
  const share = Math.round((usage.cacheRead / usage.input) * 100);
  return (
    <span title={`${model ?? "Model"}: ${usage.input} tokens in, ${usage.output} out`}>
      {share} % from cache
    </span>
  );
}
