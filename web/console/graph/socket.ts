import { type Client, CloseCode, createClient } from "graphql-ws";
import type { Auth } from "../../shared/auth";
import { ENDPOINT } from "../../shared/http";

export type Line = "idle" | "live" | "reconnecting";

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 8_000;

/** One socket for all subscriptions of the page. It is there while something listens, and comes back by
 * itself for as long as that takes. */
export class Socket {
  #auth: Auth;
  #client: Client;
  #line: Line = "idle";
  #listeners = new Set<() => void>();
  #wasRefused = false;
  #retryNow: () => void = () => {};

  constructor(auth: Auth) {
    this.#auth = auth;
    this.#client = createClient({
      url: new URL(ENDPOINT, window.location.href.replace(/^http/, "ws")).href,
      keepAlive: 10_000,
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => auth.state().identity !== null,
      retryWait: (retries) => this.#pause(retries),
      connectionParams: () => this.#credentials(),
      on: {
        connected: () => this.#set("live"),
        closed: (event) => {
          const code = (event as CloseEvent).code;
          this.#wasRefused = code === CloseCode.Forbidden;
          this.#set(code === 1000 ? "idle" : "reconnecting");
        },
      },
    });
    window.addEventListener("online", this.#hurry);
  }

  listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  line = (): Line => this.#line;

  /** Follows a subscription. Where it takes a cursor as `after`, it goes on from the last event that
   * came, whenever the line was cut: the payload is written anew for each connection. */
  follow(
    payload: { query: string; variables: Record<string, unknown> },
    sink: Parameters<Client["subscribe"]>[1],
  ): () => void {
    const variables = { ...payload.variables };
    return this.#client.subscribe(
      { query: payload.query, variables },
      {
        ...sink,
        next(result) {
          const cursor = cursorOf(result.data);
          if (cursor && "after" in variables) variables.after = cursor;
          sink.next(result);
        },
      },
    );
  }

  close(): void {
    window.removeEventListener("online", this.#hurry);
    void this.#client.dispose();
  }

  async #credentials(): Promise<Record<string, string>> {
    if (this.#wasRefused) await this.#auth.refresh();
    return this.#auth.header();
  }

  #pause(retries: number): Promise<void> {
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** retries, LONGEST_PAUSE_MS);
    return new Promise((resolve) => {
      this.#retryNow = resolve;
      window.setTimeout(resolve, longest * (0.5 + Math.random() / 2));
    });
  }

  #hurry = (): void => this.#retryNow();

  #set(line: Line): void {
    this.#line = line;
    for (const listener of this.#listeners) listener();
  }
}

/** Of the one event that a result of a subscription holds. */
export function cursorOf(data: unknown): string | undefined {
  const event = Object.values((data ?? {}) as Record<string, unknown>)[0];
  return (event as { cursor?: string } | undefined)?.cursor;
}
