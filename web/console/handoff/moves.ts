import type { Identity } from "../../shared/auth";
import { isOver, isWriter } from "../shell/access";
import type { HandoffLineFragment, SessionHeadFragment } from "./operations";

export type Move =
  | "handOff"
  | "claim"
  | "takeBack"
  | "giveBack"
  | "reassign"
  | "resolve"
  | "abandon"
  | "reopen"
  | "linkTicket";

type Session = Pick<SessionHeadFragment, "status" | "assignee" | "openHandoff">;
type Viewer = Pick<Identity, "id" | "role">;

/** What this person may do with the session as it is; the server has the last word. */
export function movesOf(
  session: Session,
  held: HandoffLineFragment | undefined,
  viewer: Viewer,
): Set<Move> {
  const leads = viewer.role !== "ENGINEER";
  const writes = isWriter(session, viewer);
  const over = isOver(session);
  const isActive = session.status === "ACTIVE";
  const waiting = waitingOf(session);
  const putDown = waiting?.handedOffBy.id === viewer.id;
  const can: Record<Move, boolean> = {
    handOff: writes && isActive,
    claim: waiting !== null && viewer.role !== null,
    takeBack: waiting !== null && (writes || putDown),
    giveBack: writes && isActive && held !== undefined,
    reassign: leads && !over,
    resolve: writes && !over,
    abandon: writes && !over,
    reopen: writes && over,
    linkTicket: writes,
  };
  return new Set((Object.keys(can) as Move[]).filter((move) => can[move]));
}

/** A handoff that somebody else has just claimed may still be here for a moment, with its new state. */
export function waitingOf({ openHandoff }: Session): Session["openHandoff"] {
  return openHandoff?.state === "OPEN" ? openHandoff : null;
}

/** Whoever put it down takes it back; for everybody else it is there to be claimed. */
export function isPutDownBy(session: Session, viewer: Viewer): boolean {
  const isTheirs = waitingOf(session)?.handedOffBy.id === viewer.id;
  return isTheirs || session.assignee.id === viewer.id;
}

/** The claim that lasts. */
export function heldOf(handoffs: readonly HandoffLineFragment[]): HandoffLineFragment | undefined {
  return handoffs.find(({ state, claimEndedAt }) => state === "CLAIMED" && claimEndedAt === null);
}
