import { CircleAlert, CircleCheck, Ellipsis, Hand, RotateCcw, Send, Undo2, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useViewer } from "../shell/viewer";
import { Button, IconButton } from "../ui/button";
import { Menu, MenuItem } from "../ui/menu";
import { AbandonDialog } from "./abandon-dialog";
import { GiveBackDialog } from "./give-back-dialog";
import { GiveDialog } from "./give-dialog";
import { HandOffDialog } from "./hand-off-dialog";
import { LinkTicketDialog } from "./link-ticket-dialog";
import { heldOf, isPutDownBy, movesOf } from "./moves";
import type { BranchRowFragment, SessionHeadFragment, SessionStatus } from "./operations";
import { ResolveDialog } from "./resolve-dialog";
import { useHandoffs } from "./use-handoffs";
import { useQuickMoves } from "./use-quick-moves";

type Asked = "handOff" | "resolve" | "abandon" | "reassign" | "giveBack" | "linkTicket";

const MORE: { asked: Asked; words: string }[] = [
  { asked: "resolve", words: "Resolve…" },
  { asked: "reassign", words: "Give to somebody…" },
  { asked: "giveBack", words: "Give back to the queue…" },
  { asked: "linkTicket", words: "Link a ticket…" },
  { asked: "abandon", words: "Abandon…" },
];

/** What can become of the session, by its status and who looks at it. */
export function SessionActions({
  session,
  branches,
  onMoved,
}: {
  session: SessionHeadFragment;
  branches: BranchRowFragment[];
  /** With its status since then; once it is RESOLVED its documents are being written. */
  onMoved: (status: SessionStatus) => void;
}) {
  const viewer = useViewer();
  const handoffs = useHandoffs(session.id);
  const may = movesOf(session, heldOf(handoffs), viewer);
  const quick = useQuickMoves(session, onMoved);
  const [asked, setAsked] = useState<Asked | null>(null);
  const close = () => setAsked(null);
  // Also one that has ended since: what was typed for it stays, with the server's word on it.
  const claimed = handoffs.find(({ state }) => state === "CLAIMED");
  const theirs = isPutDownBy(session, viewer);
  const takesBackToo = may.has("takeBack") && !theirs;
  const isActive = session.status === "ACTIVE";
  const more = MORE.filter(
    (item) => may.has(item.asked) && !(isActive && item.asked === "resolve"),
  );

  return (
    <div className="relative flex items-center gap-2">
      {may.has("handOff") && (
        <Act
          words="Hand off"
          icon={<Send aria-hidden className="size-4" />}
          onClick={() => setAsked("handOff")}
        />
      )}
      {may.has("resolve") && isActive && (
        <Act
          isMain
          words="Resolve"
          icon={<CircleCheck aria-hidden className="size-4" />}
          onClick={() => setAsked("resolve")}
        />
      )}
      {may.has("takeBack") && theirs && (
        <Act
          isMain
          words="Take back"
          icon={<Undo2 aria-hidden className="size-4" />}
          disabled={quick.isBusy}
          onClick={() => void quick.takeBack()}
        />
      )}
      {may.has("claim") && !theirs && (
        <Act
          isMain
          words="Claim"
          icon={<Hand aria-hidden className="size-4" />}
          disabled={quick.isBusy}
          onClick={() => void quick.claim()}
        />
      )}
      {may.has("reopen") && (
        <Act
          words="Reopen"
          icon={<RotateCcw aria-hidden className="size-4" />}
          disabled={quick.isBusy}
          onClick={() => void quick.reopen()}
        />
      )}
      {(more.length > 0 || takesBackToo) && (
        <Menu label="More" button={<Ellipsis aria-hidden className="size-4" />} className="size-8">
          {takesBackToo && (
            <MenuItem onAction={() => void quick.takeBack()}>
              {`Take back for ${session.assignee.displayName}`}
            </MenuItem>
          )}
          {more.map((item) => (
            <MenuItem key={item.asked} onAction={() => setAsked(item.asked)}>
              {item.words}
            </MenuItem>
          ))}
        </Menu>
      )}

      {quick.refusal && (
        <div
          role="alert"
          className="absolute top-full right-0 z-10 mt-2 flex w-80 max-w-[90vw] items-start gap-2 rounded border border-dead-end/40 bg-dead-end-soft py-1 pr-1 pl-3 shadow-float"
        >
          <CircleAlert aria-hidden className="mt-1.5 size-4 shrink-0 text-dead-end" />
          <span className="flex-1 py-0.5">{quick.refusal.message}</span>
          <IconButton label="Dismiss" onClick={quick.clear}>
            <X aria-hidden className="size-4" />
          </IconButton>
        </div>
      )}

      {asked === "handOff" && <HandOffDialog session={session} onClose={close} onMoved={onMoved} />}
      {asked === "resolve" && (
        <ResolveDialog
          session={session}
          branches={branches}
          onClose={close}
          onResolved={() => onMoved("RESOLVED")}
        />
      )}
      {asked === "abandon" && <AbandonDialog session={session} onClose={close} onMoved={onMoved} />}
      {asked === "reassign" && <GiveDialog session={session} onClose={close} onMoved={onMoved} />}
      {asked === "giveBack" && claimed && (
        <GiveBackDialog
          sessionId={session.id}
          handoffId={claimed.id}
          onClose={close}
          onMoved={onMoved}
        />
      )}
      {asked === "linkTicket" && <LinkTicketDialog session={session} onClose={close} />}
    </div>
  );
}

/** With its words where there is room, else with its icon alone. */
function Act({
  words,
  icon,
  isMain = false,
  disabled = false,
  onClick,
}: {
  words: string;
  icon: ReactNode;
  isMain?: boolean;
  disabled?: boolean;
  onClick: () => void;
}) {
  return (
    <Button
      look={isMain ? "primary" : "plain"}
      title={words}
      disabled={disabled}
      onClick={onClick}
      className="max-sm:size-8 max-sm:px-0"
    >
      <span className="sm:hidden">{icon}</span>
      <span className="max-sm:sr-only">{words}</span>
    </Button>
  );
}
