import { createContext, type MouseEvent, type ReactNode, useContext } from "react";
import { Moment } from "../ui/time";
import type { SourceFragment } from "./operations";

export type ShowBranch = (branchId: string) => void;
export type ShowMessage = (branchId: string, messageId: string) => void;

/** How one gets to branches and messages from here. */
export interface Ways {
  sessionId: string;
  onShowBranch: ShowBranch;
  onShowMessage: ShowMessage;
}

const WaysContext = createContext<Ways | null>(null);
export const WaysProvider = WaysContext.Provider;

const UNDERLINED =
  "underline decoration-edge/60 underline-offset-3 transition-colors hover:text-accent hover:decoration-current";

export function BranchLink({
  id,
  children,
  className = UNDERLINED,
  isHere = false,
}: {
  id: string;
  children: ReactNode;
  className?: string;
  /** Whether it is where the reader is. */
  isHere?: boolean;
}) {
  const { sessionId, onShowBranch } = useWays();
  return (
    <a
      href={`/sessions/${sessionId}/${id}`}
      aria-current={isHere ? "true" : undefined}
      onClick={unlessElsewhere(() => onShowBranch(id))}
      className={className}
    >
      <bdi>{children}</bdi>
    </a>
  );
}

export function MessageLink({
  message: { id, branch },
  children,
}: {
  message: SourceFragment;
  children: ReactNode;
}) {
  const { sessionId, onShowMessage } = useWays();
  return (
    <a
      href={`/sessions/${sessionId}/${branch.id}#${id}`}
      onClick={unlessElsewhere(() => onShowMessage(branch.id, id))}
      className={UNDERLINED}
    >
      {children}
    </a>
  );
}

/** As `Upstream, 09:33`, each message of the same branch after it by its time alone. */
export function Sources({ messages }: { messages: SourceFragment[] }) {
  return messages.map((message, place) => {
    const { id, branch, createdAt } = message;
    const isOfSame = place > 0 && messages[place - 1]?.branch.id === branch.id;
    return (
      <span key={id}>
        {place > 0 && ", "}
        <MessageLink message={message}>
          <span className={isOfSame ? "sr-only" : ""}>
            <bdi>{branch.label}</bdi>,{" "}
          </span>
          <Moment at={createdAt} className="whitespace-nowrap" />
        </MessageLink>
      </span>
    );
  });
}

function useWays(): Ways {
  const ways = useContext(WaysContext);
  if (ways === null) throw new Error("There is no way to branches and messages from here.");
  return ways;
}

/** Another tab or window is opened as for any link. */
function unlessElsewhere(go: () => void) {
  return (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go();
  };
}
