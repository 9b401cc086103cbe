import { REFRESH, SIGN_IN, SIGN_OUT, WHO_AM_I } from "./auth-documents";
import { type GraphQLResponse, isUnauthenticated, type Operation, post } from "./http";

export interface Identity {
  /** The user's; for an API key one that no user has. */
  id: string;
  /** The person's name, or "API key". */
  name: string;
  /** Role or scopes, and the account. */
  detail: string;
  /** Null for an API key. */
  role: Role | null;
  accountId: string;
}

export type Role = "ENGINEER" | "LEAD" | "ADMIN";

export interface AuthState {
  identity: Identity | null;
  /** Why nobody is signed in any more; empty when there is nothing to say. */
  notice: string;
}

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  expiresAt: string;
}

type Credential = { kind: "tokens"; tokens: Tokens } | { kind: "apiKey"; key: string };

interface Viewer {
  account: { id: string; name: string };
  user: { id: string; displayName: string; email: string; role: Role } | null;
  scopes: string[];
}

interface Kept {
  credential: Credential;
  identity: Identity;
}

const STORAGE_KEY = "flowpilot.credential";
const LAST_MOMENT_MS = 5_000;
const REFRESH_AHEAD_MS = 60_000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** Windows share one refresh token. Where the browser has no locks, which is so without TLS, this keeps
 * two of them from spending it at the same moment. */
const REFRESH_SPREAD_MS = 20_000;

/** Who uses the pages of this site: one sign-in for all windows, which also ends in all of them.
 * An API key, which does not run out, is kept for its window only. */
export class Auth {
  #credential: Credential | null = null;
  #state: AuthState = { identity: null, notice: "" };
  #listeners = new Set<() => void>();
  #timer: number | undefined;
  /** By this machine's clock; Infinity if it cannot tell, and then a refusal tells. */
  #endsAt = Infinity;
  #refreshing: Promise<boolean> | null = null;

  constructor() {
    const stored = readKept(sessionStorage) ?? readKept(localStorage);
    if (stored) this.#adopt(stored.credential, stored.identity);
    window.addEventListener("storage", (event) => {
      if (event.storageArea !== localStorage || event.key !== STORAGE_KEY) return;
      if (this.#credential?.kind === "apiKey") return;
      const changed = readKept(localStorage);
      if (changed) this.#adopt(changed.credential, changed.identity);
      else this.#forget("");
    });
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  state = (): AuthState => this.#state;

  /** Returns what to tell the person if it did not work, else null. */
  async signIn(email: string, password: string): Promise<string | null> {
    const response = await attempt<{
      signIn: { tokens?: Tokens; viewer?: Viewer; message?: string };
    }>({ query: SIGN_IN, variables: { input: { email, password } } });
    const result = response.data?.signIn;
    if (!result?.tokens || !result.viewer) return result?.message ?? failure(response);
    this.#keep({ kind: "tokens", tokens: result.tokens }, describe(result.viewer));
    return null;
  }

  /** Returns what to tell the person if the key does not work, else null. */
  async enterApiKey(key: string): Promise<string | null> {
    const response = await attempt<{ viewer: Viewer }>({ query: WHO_AM_I }, bearerHeader(key));
    if (!response.data) return failure(response);
    this.#keep({ kind: "apiKey", key }, describe(response.data.viewer));
    return null;
  }

  /** Goes on with the sign-in that a new password has brought; it has ended all others. */
  continueWith(tokens: Tokens): void {
    const { identity } = this.#state;
    if (identity) this.#keep({ kind: "tokens", tokens }, identity);
  }

  async signOut(): Promise<void> {
    const credential = this.#credential;
    this.#forget("");
    if (credential?.kind !== "tokens") return;
    const { accessToken, refreshToken } = credential.tokens;
    await attempt(
      { query: SIGN_OUT, variables: { input: { refreshToken } } },
      bearerHeader(accessToken),
    );
  }

  /** The header to send with a request or in `connection_init`; refreshes tokens about to end. */
  async header(): Promise<Record<string, string>> {
    if (Date.now() > this.#endsAt - LAST_MOMENT_MS) await this.refresh();
    const credential = this.#credential;
    if (!credential) return {};
    return bearerHeader(
      credential.kind === "apiKey" ? credential.key : credential.tokens.accessToken,
    );
  }

  /** Runs an operation as the person signed in; a token found dead is renewed once. */
  async run<Data>(
    operation: Operation,
    headers: Record<string, string> = {},
  ): Promise<GraphQLResponse<Data>> {
    const response = await post<Data>(operation, { ...(await this.header()), ...headers });
    if (!isUnauthenticated(response) || !(await this.refresh())) return response;
    return post<Data>(operation, { ...(await this.header()), ...headers });
  }

  /** True if there are new tokens. Callers at the same time share one exchange, because a refresh
   * token can be spent only once. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= alone(() => this.#exchange()).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #exchange(): Promise<boolean> {
    const { identity } = this.#state;
    if (this.#credential?.kind !== "tokens" || !identity) return false;
    const spent = this.#credential.tokens.refreshToken;
    if (this.#takeOver(spent)) return true;
    const response = await attempt<{ refreshTokens: { tokens?: Tokens; message?: string } }>({
      query: REFRESH,
      variables: { input: { refreshToken: spent } },
    });
    if (this.#credential?.kind !== "tokens") return false;
    if (this.#credential.tokens.refreshToken !== spent) return true;
    const result = response.data?.refreshTokens;
    if (result?.tokens) {
      this.#keep({ kind: "tokens", tokens: result.tokens }, identity);
      return true;
    }
    // A server out of reach says nothing about the tokens: they are kept for the next attempt.
    if (result || isUnauthenticated(response)) {
      if (this.#takeOver(spent)) return true;
      this.#forget("Your sign-in has ended. Sign in again.");
    }
    return false;
  }

  /** True if another window was first to replace the tokens. */
  #takeOver(spent: string): boolean {
    const kept = readKept(localStorage);
    if (kept?.credential.kind !== "tokens") return false;
    if (kept.credential.tokens.refreshToken === spent) return false;
    this.#adopt(kept.credential, kept.identity);
    return true;
  }

  #keep(credential: Credential, identity: Identity): void {
    const storage = credential.kind === "apiKey" ? sessionStorage : localStorage;
    storage.setItem(STORAGE_KEY, JSON.stringify({ credential, identity }));
    this.#adopt(credential, identity);
  }

  #adopt(credential: Credential, identity: Identity): void {
    this.#credential = credential;
    this.#schedule(credential);
    // The same person with newer tokens is no news to the page.
    const before = this.#state.identity;
    this.#publish({ identity: before?.id === identity.id ? before : identity, notice: "" });
  }

  #forget(notice: string): void {
    const storage = this.#credential?.kind === "apiKey" ? sessionStorage : localStorage;
    this.#credential = null;
    this.#endsAt = Infinity;
    storage.removeItem(STORAGE_KEY);
    window.clearTimeout(this.#timer);
    this.#publish({ identity: null, notice });
  }

  #schedule(credential: Credential): void {
    window.clearTimeout(this.#timer);
    this.#endsAt = Infinity;
    if (credential.kind !== "tokens") return;
    const endsAt = Date.parse(credential.tokens.expiresAt);
    const lifetime = endsAt - Date.now();
    // Over by a clock that runs ahead, or restored after a long pause.
    if (lifetime <= 0) return;
    this.#endsAt = endsAt;
    const ahead = REFRESH_AHEAD_MS + Math.random() * REFRESH_SPREAD_MS;
    this.#timer = window.setTimeout(
      () => void this.refresh(),
      Math.min(Math.max(lifetime - ahead, lifetime / 2), LONGEST_TIMEOUT_MS),
    );
  }

  #publish(state: AuthState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** As `post`, with a broken connection told like any other failure. */
async function attempt<Data>(
  operation: Operation,
  headers: Record<string, string> = {},
): Promise<GraphQLResponse<Data>> {
  try {
    return await post<Data>(operation, headers);
  } catch (error) {
    return { errors: [{ message: error instanceof Error ? error.message : String(error) }] };
  }
}

function failure(response: GraphQLResponse<unknown>): string {
  return response.errors?.[0]?.message ?? "The server gave no answer.";
}

function bearerHeader(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

function describe({ user, account, scopes }: Viewer): Identity {
  const rights = user ? user.role.toLowerCase() : scopes.join(", ").toLowerCase();
  return {
    id: user?.id ?? `key of ${account.id}`,
    name: user ? user.displayName : "API key",
    detail: `${rights} at ${account.name}`,
    role: user?.role ?? null,
    accountId: account.id,
  };
}

/** Runs it in one window at a time. */
function alone<Result>(work: () => Promise<Result>): Promise<Result> {
  // Not there outside of secure contexts, whatever the types say.
  const locks = navigator.locks as LockManager | undefined;
  return locks ? locks.request(STORAGE_KEY, work) : work();
}

function readKept(storage: Storage): Kept | null {
  try {
    const kept = JSON.parse(storage.getItem(STORAGE_KEY) ?? "null") as Kept | null;
    return kept?.identity.id ? kept : null;
  } catch {
    return null;
  }
}
