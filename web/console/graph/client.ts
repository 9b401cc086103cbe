import { cacheExchange } from "@urql/exchange-graphcache";
import { Client, fetchExchange, subscriptionExchange } from "urql";
import type { Auth } from "../../shared/auth";
import { ENDPOINT } from "../../shared/http";
import { setServerTime } from "../ui/clock";
import { cacheConfig } from "./cache";
import { cursorExchange } from "./cursors";
import type { Socket } from "./socket";

/** Holds what one person has loaded. Somebody else gets another one: nothing of theirs is in it. */
export function createClient(auth: Auth, socket: Socket): Client {
  return new Client({
    url: ENDPOINT,
    preferGetMethod: false,
    fetch: (_, init) => fetchAs(auth, init),
    exchanges: [
      cacheExchange(cacheConfig()),
      cursorExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables = {} }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.follow(
              { query, variables },
              sink as Parameters<Socket["follow"]>[1],
            ),
          }),
        }),
      }),
    ],
  });
}

/** As the person signed in; a token that was found dead is renewed once. */
async function fetchAs(auth: Auth, init: RequestInit | undefined): Promise<Response> {
  const send = async (): Promise<Response> => {
    const headers = new Headers(init?.headers);
    headers.set("Accept", "application/graphql-response+json");
    headers.set("GraphQL-Require-Preflight", "1");
    for (const [name, value] of Object.entries(await auth.header())) headers.set(name, value);
    const response = await fetch(ENDPOINT, { ...init, headers });
    setServerTime(response.headers.get("Date"));
    return response;
  };
  const response = await send();
  return response.status === 401 && (await auth.refresh()) ? send() : response;
}
