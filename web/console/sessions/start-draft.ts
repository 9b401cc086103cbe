import type { IntakeType, SessionType, StartSessionInput } from "./operations";

export const LONGEST_TEXT = 20_000;

/** What somebody is about to start a session with. */
export interface Draft {
  from: IntakeType;
  text: string;
  ticket: string;
  /** Null: not chosen yet. Empty: none. */
  integrationId: string | null;
  alert: string;
  sessionType: SessionType;
  /** Empty: that of whoever starts it. */
  teamId: string;
}

export const EMPTY_DRAFT: Draft = {
  from: "FREE_TEXT",
  text: "",
  ticket: "",
  integrationId: null,
  alert: "",
  sessionType: "GUIDED",
  teamId: "",
};

/** What was typed for another kind of beginning stays in the draft and is not sent. */
export function inputOf(
  draft: Draft,
  uploadIds: string[],
): Omit<StartSessionInput, "idempotencyKey"> {
  const { from, text, sessionType } = draft;
  const ticket = from === "PSA_TICKET" ? draft.ticket.trim() : "";
  const alert = from === "ALERT" ? draft.alert.trim() : "";
  return {
    sessionType,
    intake: { type: from, text, reference: alert || ticket || null },
    psaTicketId: ticket || null,
    integrationId: (ticket && draft.integrationId) || null,
    uploadIds,
    teamId: draft.teamId || null,
  };
}

const place = (viewerId: string) => `flowpilot.start.${viewerId}`;

export function keptDraft(viewerId: string): Draft {
  try {
    return { ...EMPTY_DRAFT, ...JSON.parse(localStorage.getItem(place(viewerId)) ?? "{}") };
  } catch {
    return EMPTY_DRAFT;
  }
}

export function keepDraft(viewerId: string, draft: Draft): void {
  localStorage.setItem(place(viewerId), JSON.stringify(draft));
}

export function forgetDraft(viewerId: string): void {
  localStorage.removeItem(place(viewerId));
}
