import type { Identity } from "../../shared/auth";

interface Held {
  assignee: { id: string };
}

/** Whether somebody writes in a session: its assignee does, and leads and admins do; the server has the last word. */
export function isWriter({ assignee }: Held, viewer: Pick<Identity, "id" | "role">): boolean {
  return viewer.role !== "ENGINEER" || assignee.id === viewer.id;
}

/** Its tree stays as it is; its documents are still worked on. */
export function isOver({ status }: { status: string }): boolean {
  return status === "RESOLVED" || status === "ABANDONED";
}

/** Whether somebody may go on with its problem. */
export function mayWrite(session: Held & { status: string }, viewer: Identity): boolean {
  return !isOver(session) && isWriter(session, viewer);
}
