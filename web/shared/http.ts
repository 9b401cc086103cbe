import { multipart } from "./files";

export const ENDPOINT = "/graphql";

export interface GraphQLFailure {
  message: string;
  extensions?: { code?: string };
}

export interface GraphQLResponse<Data> {
  data?: Data | null;
  errors?: GraphQLFailure[];
}

export interface Operation {
  query: string;
  variables?: unknown;
  operationName?: string | null;
}

/** Sends one operation. A refusal of the server comes back as `errors`; only a broken connection
 * or an answer that is no GraphQL is thrown. */
export async function post<Data>(
  operation: Operation,
  headers: Record<string, string>,
): Promise<GraphQLResponse<Data>> {
  const form = multipart(operation);
  const kind: Record<string, string> = form
    ? { "GraphQL-Require-Preflight": "1" }
    : { "Content-Type": "application/json" };
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      ...kind,
      Accept: "application/graphql-response+json, application/json;q=0.9",
      ...headers,
    },
    body: form ?? JSON.stringify(operation),
  });
  const text = await response.text();
  try {
    return JSON.parse(text) as GraphQLResponse<Data>;
  } catch {
    throw new Error(`The server answered ${response.status} ${response.statusText} without JSON.`);
  }
}

export function isUnauthenticated(response: GraphQLResponse<unknown>): boolean {
  return response.errors?.some((error) => error.extensions?.code === "UNAUTHENTICATED") ?? false;
}
