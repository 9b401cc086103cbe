import type { Auth } from "../shared/auth";

/** What the placeholders of the examples stand for: ids and cursors that exist right now. */
export type Known = Record<string, string | number>;

interface BranchRow {
  id: string;
  version: number;
  status: string;
  isActive: boolean;
  archivedAt: string | null;
  depth: number;
}

interface MessageRow {
  id: string;
  role: string;
  state: string;
}

interface SessionRow {
  id: string;
  status: string;
  version: number;
  branchCount: number;
}

interface SessionDetail {
  eventCursor: string;
  activeBranch: {
    id: string;
    messages: { edges: { node: MessageRow }[] };
    merges: { id: string; undoneAt: string | null }[];
  };
  branches: BranchRow[];
  findings: { id: string; branch: { isActive: boolean } }[];
  revivalProposals: { id: string }[];
  uploads: { id: string; state: string }[];
  handoffs: { deliveries: { id: string; state: string }[] }[];
}

interface HandoffRow {
  id: string;
  state: string;
  claimEndedAt: string | null;
}

const PLACEHOLDER = /"\$(\w+)"/g;
const OUTPUT_NAMES = /output|resolved/i;
const SESSION_NAMES =
  /session|branch|dead|archived|message|reply|evidence|eventCursor|finding|merge|proposal|upload|delivery/i;
const QUEUE_NAMES = /handoffId|queueCursor/;

const RECENT_SESSIONS = `query RecentSessions {
  sessions(first: 20) { eventCursor edges { node { id status version branchCount } } }
}`;
const SESSION_DETAIL = `query SessionDetail($id: ID!) {
  session(id: $id) {
    eventCursor
    activeBranch {
      id
      messages(last: 10) { edges { node { id role state } } }
      merges { id undoneAt }
    }
    branches(includeArchived: true) { id version status isActive archivedAt depth }
    findings { id branch { isActive } }
    revivalProposals(state: OPEN) { id }
    uploads { id state }
    handoffs { deliveries { id state } }
  }
}`;
const QUEUE = `query FirstInQueue { queue(first: 1) { eventCursor edges { node { id } } } }`;
const CLAIMS = `query RecentClaims {
  sessions(first: 20, filter: { status: [ACTIVE] }) {
    edges { node { handoffs { id state claimEndedAt } } }
  }
}`;
const SLA_TARGETS = `query SlaVersion { viewer { account { slaTargets { version } } } }`;
const MEMBERS = `query Members { viewer { user { id } } members { id role } }`;
const DOCUMENTS = `query Resolved {
  sessions(first: 10, filter: { status: [RESOLVED] }) {
    edges { node { id resolutionOutputs { id version status } } }
  }
}`;
const INTEGRATIONS = `query FirstIntegration { integrations { id } }`;
const API_KEYS = `query ApiKeys { apiKeys { id revokedAt } }`;

/** Fills an example's variables in. A placeholder for something that does not exist yet, or that
 * this person may not see, stays as it is and is named in `missing`. */
export async function fillIn(
  variables: string,
  auth: Auth,
): Promise<{ variables: string; missing: string[] }> {
  const names = [...variables.matchAll(PLACEHOLDER)].map((match) => match[1] ?? "");
  const known = auth.state().identity ? await lookUp(names, auth) : {};
  const missing = new Set<string>();
  const filled = variables.replace(PLACEHOLDER, (placeholder, name: string) => {
    if (name === "uuid") return JSON.stringify(freshUuid());
    if (known[name] !== undefined) return JSON.stringify(known[name]);
    missing.add(`$${name}`);
    return placeholder;
  });
  return { variables: filled, missing: [...missing] };
}

async function lookUp(names: string[], auth: Auth): Promise<Known> {
  const found = await Promise.all([
    names.some((name) => SESSION_NAMES.test(name)) ? inSession(auth) : {},
    names.some((name) => QUEUE_NAMES.test(name)) ? inQueue(auth) : {},
    names.includes("heldHandoffId") ? inClaims(auth) : {},
    names.includes("slaVersion") ? inTargets(auth) : {},
    names.some((name) => OUTPUT_NAMES.test(name)) ? inDocuments(auth) : {},
    names.includes("memberId") ? inMembers(auth) : {},
    names.includes("apiKeyId") ? inApiKeys(auth) : {},
    names.includes("integrationId") ? inIntegrations(auth) : {},
  ]);
  return Object.assign({}, ...found) as Known;
}

/** From the active session with the largest tree, as most of the examples need one. */
async function inSession(auth: Auth): Promise<Known> {
  const recent = await ask<{
    sessions: {
      eventCursor: string;
      edges: { node: SessionRow }[];
    };
  }>(auth, RECENT_SESSIONS);
  if (!recent) return {};
  const sessionsCursor = recent.sessions.eventCursor;
  const sessions = recent.sessions.edges.map((edge) => edge.node);
  const [chosen] = sessions.toSorted(
    (a, b) =>
      Number(b.status === "ACTIVE") - Number(a.status === "ACTIVE") ||
      b.branchCount - a.branchCount,
  );
  const over = sessions.find(({ status }) => status === "RESOLVED" || status === "ABANDONED");
  const ended = defined({ endedSessionId: over?.id, endedSessionVersion: over?.version });
  if (!chosen) return { sessionsCursor };
  const detail = await ask<{ session: SessionDetail | null }>(auth, SESSION_DETAIL, {
    id: chosen.id,
  });
  const found = {
    sessionsCursor,
    sessionId: chosen.id,
    sessionVersion: chosen.version,
    ...ended,
  };
  return detail?.session ? { ...found, ...inTree(detail.session) } : found;
}

function inTree(session: SessionDetail): Known {
  const { eventCursor, activeBranch, branches, findings, revivalProposals, uploads, handoffs } =
    session;
  const deliveries = handoffs.flatMap((handoff) => handoff.deliveries);
  const live = branches.filter((branch) => !branch.archivedAt);
  const messages = activeBranch.messages.edges.map((edge) => edge.node).toReversed();
  const evidence = messages.find((message) => message.state === "COMPLETE")?.id;
  const reply = messages.find((message) => message.role === "ASSISTANT")?.id;
  const failed = messages.find(({ state }) => state === "FAILED" || state === "CANCELLED")?.id;
  const running = messages.find(({ state }) => state === "PENDING" || state === "STREAMING")?.id;
  return defined({
    eventCursor,
    activeBranchId: activeBranch.id,
    evidenceMessageId: evidence,
    replyMessageId: running ?? reply,
    failedMessageId: failed,
    runningMessageId: running,
    findingId: findings.find((finding) => !finding.branch.isActive)?.id,
    mergeId: activeBranch.merges.find((merge) => !merge.undoneAt)?.id,
    proposalId: revivalProposals[0]?.id,
    failedDeliveryId: deliveries.find((delivery) => delivery.state === "FAILED")?.id,
    failedUploadId: uploads.find((upload) => upload.state === "FAILED")?.id,
    ...named(
      "activeBranch",
      branches.find((branch) => branch.isActive),
    ),
    ...named(
      "otherBranch",
      live.find((branch) => !branch.isActive && branch.depth > 0),
    ),
    ...named(
      "deadEndBranch",
      live.find((branch) => branch.status === "DEAD_END"),
    ),
    ...named(
      "archivedBranch",
      branches.find((branch) => branch.archivedAt),
    ),
  });
}

function named(name: string, branch: BranchRow | undefined): Partial<Known> {
  return { [`${name}Id`]: branch?.id, [`${name}Version`]: branch?.version };
}

/** A draft if there is one, since most of what is done to documents needs one. */
async function inDocuments(auth: Auth): Promise<Known> {
  const data = await ask<{
    sessions: {
      edges: {
        node: { id: string; resolutionOutputs: { id: string; version: number; status: string }[] };
      }[];
    };
  }>(auth, DOCUMENTS);
  const sessions = data?.sessions.edges.map((edge) => edge.node) ?? [];
  const outputs = sessions.flatMap((session) => session.resolutionOutputs);
  const output = outputs.find(({ status }) => status === "DRAFT") ?? outputs[0];
  const resolved = sessions.find((session) => session.resolutionOutputs.length > 0);
  return defined({
    resolvedSessionId: resolved?.id,
    outputId: output?.id,
    outputVersion: output?.version,
  });
}

async function inQueue(auth: Auth): Promise<Known> {
  const data = await ask<{ queue: { eventCursor: string; edges: { node: { id: string } }[] } }>(
    auth,
    QUEUE,
  );
  if (!data) return {};
  return defined({
    queueCursor: data.queue.eventCursor,
    handoffId: data.queue.edges[0]?.node.id,
  });
}

/** What somebody holds; the server tells whether it may be kept or given back by this person. */
async function inClaims(auth: Auth): Promise<Known> {
  const data = await ask<{ sessions: { edges: { node: { handoffs: HandoffRow[] } }[] } }>(
    auth,
    CLAIMS,
  );
  const handoffs = data?.sessions.edges.flatMap((edge) => edge.node.handoffs) ?? [];
  const held = handoffs.find(({ state, claimEndedAt }) => state === "CLAIMED" && !claimEndedAt);
  return defined({ heldHandoffId: held?.id });
}

async function inTargets(auth: Auth): Promise<Known> {
  const data = await ask<{ viewer: { account: { slaTargets: { version: number } } } }>(
    auth,
    SLA_TARGETS,
  );
  return defined({ slaVersion: data?.viewer.account.slaTargets.version });
}

/** Never the person signed in: an example must not invite them to lock themselves out. */
async function inMembers(auth: Auth): Promise<Known> {
  const data = await ask<{
    viewer: { user: { id: string } | null };
    members: { id: string; role: string }[];
  }>(auth, MEMBERS);
  const others = data?.members.filter((member) => member.id !== data.viewer.user?.id) ?? [];
  return defined({ memberId: others.find((member) => member.role === "ENGINEER")?.id });
}

async function inApiKeys(auth: Auth): Promise<Known> {
  const data = await ask<{ apiKeys: { id: string; revokedAt: string | null }[] }>(auth, API_KEYS);
  return defined({ apiKeyId: data?.apiKeys.find((key) => !key.revokedAt)?.id });
}

async function inIntegrations(auth: Auth): Promise<Known> {
  const data = await ask<{ integrations: { id: string }[] }>(auth, INTEGRATIONS);
  return defined({ integrationId: data?.integrations[0]?.id });
}

async function ask<Data>(auth: Auth, query: string, variables?: unknown): Promise<Data | null> {
  try {
    const response = await auth.run<Data>({ query, variables });
    return response.data ?? null;
  } catch {
    return null;
  }
}

function defined(values: Partial<Known>): Known {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Known;
}

/** `crypto.randomUUID` exists on secure origins only; the page also works over plain HTTP. */
function freshUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
