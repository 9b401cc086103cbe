import { createContext, useContext } from "react";
import type { BranchRowFragment, ForkRowFragment, SessionHeadFragment } from "./operations";
import type { Branches } from "./tree";
import type { Fresh } from "./use-conversation";

/** What every part of a session's page knows and can ask for. */
export interface SessionPlace {
  session: SessionHeadFragment;
  branches: Branches;
  forkPoints: ForkRowFragment[];
  fresh: Fresh;
  /** The branch that is looked at. */
  shownId: string;
  /** It is over, or somebody else works on it. */
  isReadOnly: boolean;
  show: (branchId: string, messageId?: string) => void;
  askFork: (wish: ForkWish) => void;
  askRevival: (branch: BranchRowFragment) => void;
  compare: () => void;
  inspect: (messageId: string) => void;
  /** A branch has solved the problem: the session may be resolved. */
  onSolved: (branchId: string) => void;
}

/** A fork to be thought over: from a suggestion, from a message, or from where the branch is now. */
export interface ForkWish {
  branchId: string;
  after?: { id: string; position: number };
  reason?: string;
  options?: { label: string; description: string; likelihood: number | null }[];
}

export const SessionContext = createContext<SessionPlace | null>(null);

export function useSession(): SessionPlace {
  const place = useContext(SessionContext);
  if (!place) throw new Error("Used outside of a session's page.");
  return place;
}
