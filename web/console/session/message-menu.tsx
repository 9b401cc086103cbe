import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Menu, MenuItem } from "../ui/menu";
import { AlternativesDialog } from "./alternatives-dialog";
import { type MessageBodyFragment, RegenerateMessageDocument } from "./operations";
import { useSession } from "./session-context";

/** What can be done from a message on: fork there, link to it, have an answer written anew. */
export function MessageMenu({
  message,
  isLast,
  isForked,
  isInherited,
}: {
  message: MessageBodyFragment;
  isLast: boolean;
  isForked: boolean;
  isInherited: boolean;
}) {
  const { session, isReadOnly, askFork, show, inspect } = useSession();
  const regenerate = useAction(RegenerateMessageDocument);
  const [showsEarlier, setShowsEarlier] = useState(false);
  const isAnswer = message.role === "ASSISTANT" && message.state === "COMPLETE";
  const branchId = message.branch.id;
  const link = `/sessions/${session.id}/${branchId}#${message.id}`;
  return (
    <span className="ml-auto flex items-center gap-2 text-ink-2">
      {regenerate.refusal && (
        <span role="alert" className="text-dead-end">
          {regenerate.refusal.message}
        </span>
      )}
      <Menu
        label={`More for message ${message.position}`}
        button={<Ellipsis aria-hidden className="size-4" />}
        className="size-6 opacity-0 group-focus-within/message:opacity-100 group-hover/message:opacity-100 aria-expanded:opacity-100 max-md:opacity-100"
      >
        {isInherited && (
          <MenuItem onAction={() => show(branchId, message.id)}>Go to it on its branch</MenuItem>
        )}
        {isAnswer && !isReadOnly && (
          <MenuItem onAction={() => askFork({ branchId, after: message })}>Fork from here</MenuItem>
        )}
        {isAnswer && isLast && !isForked && !isReadOnly && (
          <MenuItem
            onAction={() =>
              void regenerate.run({ input: { idempotencyKey: newKey(), messageId: message.id } })
            }
          >
            Write it anew
          </MenuItem>
        )}
        {message.alternatives.length > 0 && !isInherited && (
          <MenuItem onAction={() => setShowsEarlier(true)}>Earlier texts…</MenuItem>
        )}
        {isAnswer && (
          <MenuItem onAction={() => inspect(message.id)}>What the model was told</MenuItem>
        )}
        <MenuItem
          onAction={() =>
            void navigator.clipboard.writeText(new URL(link, window.location.href).href)
          }
        >
          Copy link
        </MenuItem>
      </Menu>
      {showsEarlier && (
        <AlternativesDialog
          messageId={message.id}
          isReadOnly={isReadOnly}
          onClose={() => setShowsEarlier(false)}
        />
      )}
    </span>
  );
}
