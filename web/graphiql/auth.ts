import { post, isUnauthenticated, type GraphQLResponse, type Operation } from "./http";

export interface Identity {
  /** The person's name, or "API key". */
  name: string;
  /** Role or scopes, and the account. */
  detail: string;
}

export interface AuthState {
  identity: Identity | null;
  /** Why nobody is signed in any more; empty when there is nothing to say. */
  notice: string;
}

interface Tokens {
  accessToken: string;
  refreshToken: string;
  expiresAt: string;
}

type Credential = { kind: "tokens"; tokens: Tokens } | { kind: "apiKey"; key: string };

interface Viewer {
  account: { name: string };
  user: { displayName: string; email: string; role: string } | null;
  scopes: string[];
}

interface Stored {
  credential: Credential;
  identity: Identity;
}

const STORAGE_KEY = "flowpilot.graphiql.credential";
const VIEWER = "account { name } user { displayName email role } scopes";
const TOKENS = "tokens { accessToken refreshToken expiresAt }";
const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    ... on SignInSuccess { ${TOKENS} viewer { ${VIEWER} } }
    ... on UserError { message }
  }
}`;
const REFRESH = `mutation RefreshTokens($input: RefreshTokensInput!) {
  refreshTokens(input: $input) {
    ... on RefreshTokensSuccess { ${TOKENS} }
    ... on UserError { message }
  }
}`;
const SIGN_OUT = `mutation SignOut($input: SignOutInput!) {
  signOut(input: $input) { __typename }
}`;
const WHO_AM_I = `query WhoAmI { viewer { ${VIEWER} } }`;

const LAST_MOMENT_MS = 5_000;
const REFRESH_AHEAD_MS = 60_000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** A duplicated window holds the same refresh token; the spread keeps the two from spending it at
 * the same moment, and whichever is first hands the new tokens to the other. */
const REFRESH_SPREAD_MS = 20_000;

/** Who uses this page. Tokens live in memory and in sessionStorage: they survive a reload, not the
 * window. */
export class Auth {
  #credential: Credential | null = null;
  #state: AuthState = { identity: null, notice: "" };
  #listeners = new Set<() => void>();
  #timer: number | undefined;
  /** By this machine's clock; Infinity if it cannot tell, and then a refusal tells. */
  #endsAt = Infinity;
  #refreshing: Promise<boolean> | null = null;
  #channel = new BroadcastChannel(STORAGE_KEY);

  constructor() {
    const stored = readStored();
    if (stored) this.#adopt(stored.credential, stored.identity);
    this.#channel.onmessage = (event: MessageEvent<{ spent: string; tokens: Tokens }>) => {
      if (this.#credential?.kind !== "tokens" || !this.#state.identity) return;
      if (this.#credential.tokens.refreshToken !== event.data.spent) return;
      this.#adopt({ kind: "tokens", tokens: event.data.tokens }, this.#state.identity);
    };
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
    this.#adopt({ kind: "tokens", tokens: result.tokens }, describe(result.viewer));
    return null;
  }

  /** Returns what to tell the person if the key does not work, else null. */
  async useApiKey(key: string): Promise<string | null> {
    const response = await attempt<{ viewer: Viewer }>({ query: WHO_AM_I }, bearerHeader(key));
    if (!response.data) return failure(response);
    this.#adopt({ kind: "apiKey", key }, describe(response.data.viewer));
    return null;
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
    this.#refreshing ??= this.#exchange().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #exchange(): Promise<boolean> {
    const { identity } = this.#state;
    if (this.#credential?.kind !== "tokens" || !identity) return false;
    const spent = this.#credential.tokens.refreshToken;
    const response = await attempt<{ refreshTokens: { tokens?: Tokens; message?: string } }>({
      query: REFRESH,
      variables: { input: { refreshToken: spent } },
    });
    if (this.#credential?.kind !== "tokens") return false;
    if (this.#credential.tokens.refreshToken !== spent) return true;
    const result = response.data?.refreshTokens;
    if (result?.tokens) {
      this.#adopt({ kind: "tokens", tokens: result.tokens }, identity);
      this.#channel.postMessage({ spent, tokens: result.tokens });
      return true;
    }
    // A server out of reach says nothing about the tokens: they are kept for the next attempt.
    if (result || isUnauthenticated(response)) {
      this.#forget("Your sign-in has ended. Sign in again.");
    }
    return false;
  }

  #adopt(credential: Credential, identity: Identity): void {
    this.#credential = credential;
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ credential, identity }));
    this.#schedule(credential);
    this.#publish({ identity, notice: "" });
  }

  #forget(notice: string): void {
    this.#credential = null;
    this.#endsAt = Infinity;
    sessionStorage.removeItem(STORAGE_KEY);
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
    name: user ? user.displayName : "API key",
    detail: `${rights} at ${account.name}`,
  };
}

function readStored(): Stored | null {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "null") as Stored | null;
  } catch {
    return null;
  }
}
