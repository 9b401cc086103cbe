import type { AuditAction, NamedFragment } from "./operations";

/** What was done, after who did it; `{}` is what it was done to. */
const SIGN_INS = {
  SIGNED_IN: "signed in",
  SIGN_IN_REFUSED: "tried to sign in as {} and was refused",
  SIGNED_OUT: "signed out",
  TOKENS_REFRESHED: "renewed a sign-in",
  REFRESH_TOKEN_REUSED: "used a spent refresh token of {}, which ended that sign-in",
  PASSWORD_CHANGED: "changed the password",
} as const;

const PEOPLE = {
  MEMBER_ADDED: "added the member {}",
  MEMBER_CHANGED: "changed the member {}",
  MEMBER_DEACTIVATED: "deactivated {}",
  MEMBER_REACTIVATED: "reactivated {}",
  API_KEY_CREATED: "made the API key {}",
  API_KEY_REVOKED: "revoked the API key {}",
} as const;

const ACCOUNT = {
  ACCOUNT_CREATED: "created the account",
  SLA_TARGETS_CHANGED: "changed the service targets",
  INTEGRATION_ADDED: "added the connection {}",
  INTEGRATION_CHANGED: "changed the connection {}",
  INTEGRATION_TESTED: "tested the connection {}",
  INTEGRATION_REMOVED: "removed the connection {}",
} as const;

const SESSIONS = {
  SESSION_STARTED: "started {}",
  SESSION_UPDATED: "changed {}",
  SESSION_STATUS_CHANGED: "changed the status of {}",
  SESSION_REASSIGNED: "reassigned {}",
} as const;

const BRANCHES = {
  BRANCH_FORKED: "forked for {}",
  BRANCH_SWITCHED: "switched the branch",
  BRANCH_STATUS_CHANGED: "changed the status of the branch {}",
  BRANCH_UPDATED: "changed the branch {}",
  BRANCH_RENAMED: "renamed the branch {}",
  BRANCH_ARCHIVED: "archived the branch {}",
  BRANCH_RESTORED: "restored the branch {}",
  REVIVAL_PROPOSED: "proposed a revival",
  REVIVAL_DECIDED: "decided on a revival",
} as const;

const CONVERSATION = {
  MESSAGE_ADDED: "added a message",
  MESSAGE_RESTARTED: "asked again for an answer",
  MESSAGE_FINISHED: "finished an answer",
  FILE_UPLOADED: "uploaded {}",
  FILE_CHANGED: "read the file {}",
  FINDINGS_CHANGED: "changed the findings of {}",
  FINDINGS_MERGED: "merged findings",
  FINDING_MERGE_UNDONE: "took merged findings back",
  SECOND_OPINION_CHANGED: "worked on a second opinion",
} as const;

const HANDOFFS = {
  HANDOFF_CREATED: "made a handoff",
  HANDOFF_UPDATED: "changed a handoff",
  HANDOFF_CLAIMED: "claimed a handoff",
  HANDOFF_RELEASED: "gave a handoff back",
  HANDOFF_RETURNED: "returned a handoff to the queue",
  HANDOFF_CANCELLED: "cancelled a handoff",
  HANDOFF_DUE: "woke what was parked",
  HANDOFF_SLA_CHANGED: "found a handoff late for its target",
} as const;

const DOCUMENTS = {
  OUTPUT_REQUESTED: "asked for {}",
  OUTPUT_WRITTEN: "wrote {}",
  OUTPUT_EDITED: "edited {}",
  OUTPUT_APPROVED: "approved {}",
  OUTPUT_REJECTED: "rejected {}",
  OUTPUT_PUSHED: "sent {}",
  DELIVERY_CHANGED: "worked on the delivery {}",
} as const;

const SAID: Record<AuditAction, string> = {
  ...SIGN_INS,
  ...PEOPLE,
  ...ACCOUNT,
  ...SESSIONS,
  ...BRANCHES,
  ...CONVERSATION,
  ...HANDOFFS,
  ...DOCUMENTS,
};

export const ACTION_GROUPS: [label: string, actions: AuditAction[]][] = (
  [
    ["Sign-ins", SIGN_INS],
    ["Members and keys", PEOPLE],
    ["Account and connections", ACCOUNT],
    ["Sessions", SESSIONS],
    ["Branches", BRANCHES],
    ["Messages, files and findings", CONVERSATION],
    ["Handoffs", HANDOFFS],
    ["Documents and deliveries", DOCUMENTS],
  ] as const
).map(([label, actions]) => [label, Object.keys(actions) as AuditAction[]]);

/** Before and after what it was done to; without the latter where that is said by the rest. */
export function saidOf(action: AuditAction): { before: string; after: string | undefined } {
  const [before = "", after] = SAID[action].split("{}");
  return { before: before.trim(), after };
}

/** For a list of actions. */
export function actionLabel(action: AuditAction): string {
  const text = SAID[action].replace("{}", "…").replace(/ …$/, "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const BY_STRANGERS: AuditAction[] = ["SIGN_IN_REFUSED", "REFRESH_TOKEN_REUSED"];
const BY_ASSISTANT: AuditAction[] = [
  "BRANCH_UPDATED",
  "FINDINGS_CHANGED",
  "HANDOFF_UPDATED",
  "MESSAGE_ADDED",
  "MESSAGE_FINISHED",
  "MESSAGE_RESTARTED",
  "OUTPUT_WRITTEN",
  "REVIVAL_PROPOSED",
  "SECOND_OPINION_CHANGED",
  "SESSION_UPDATED",
];

/** Who did what nobody who is known has done. */
export function unknownActor(action: AuditAction): string {
  if (BY_STRANGERS.includes(action)) return "Somebody";
  return BY_ASSISTANT.includes(action) ? "The assistant" : "FlowPilot";
}

export function nameOf(node: NamedFragment): string {
  switch (node.__typename) {
    case "User":
      return node.displayName;
    case "Branch":
      return node.label;
    case "AiSession":
      return node.problemSummary ?? "a session";
    case "ForkPoint":
      return node.reason;
    case "FileUpload":
      return node.filename;
    case "ResolutionOutput":
      return OUTPUTS[node.type];
    case "Delivery":
      return node.title;
    case "Account":
    case "ApiKey":
    case "Integration":
    case "Team":
      return node.name;
    default:
      return inWords(node.__typename);
  }
}

const OUTPUTS = {
  PSA_TICKET_NOTES: "the ticket notes",
  KNOWLEDGE_BASE: "the article",
  CLIENT_SUMMARY: "the client summary",
} as const;

const FIELDS: Record<string, string> = {
  baseUrl: "address",
  displayName: "name",
  email: "e-mail",
  isEnabled: "switched on",
  psaTicketId: "ticket",
  integration: "connection",
  slaState: "target",
};

/** As a person would say what the API calls `activeBranch`. */
export function fieldLabel(field: string): string {
  return FIELDS[field] ?? inWords(field);
}

const ENUM_VALUES = /^[A-Z][A-Z_]+( [A-Z][A-Z_]+)*$/;

/** A value of the API: of an enum in words, true and false as yes and no; what people wrote as it is. */
export function valueLabel(value: string): string {
  if (value === "true") return "yes";
  if (value === "false") return "no";
  return ENUM_VALUES.test(value) ? value.toLowerCase().replaceAll("_", " ") : value;
}

function inWords(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, " $&").toLowerCase();
}

const NODE_ID = /^[a-z]{2}_[0-9a-f]{32}$/;

/** Those of the changed values that are ids of objects. */
export function idsIn(entries: { changes: { before: string | null; after: string | null }[] }[]) {
  const values = entries.flatMap(({ changes }) =>
    changes.flatMap(({ before, after }) => [before, after]),
  );
  const ids = values.filter((value) => value !== null && NODE_ID.test(value)) as string[];
  return [...new Set(ids)].slice(0, MOST_IDS);
}

/** That the API takes at once. */
const MOST_IDS = 100;
