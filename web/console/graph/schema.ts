import type { CacheExchangeOpts } from "@urql/exchange-graphcache";
import { FIELDS, INTERFACES, UNIONS } from "./types";

type Schema = NonNullable<CacheExchangeOpts["schema"]>;

/** The cache may leave out a nullable field that it does not hold, and show null in its place. Here nothing
 * counts as nullable: an answer is whole, or the server is asked. */
const NEVER_LEFT_OUT = { kind: "NON_NULL", ofType: { kind: "SCALAR", name: "Any" } };

/** What is looked up by its id; null where there is none, or none that one may see. Where a query asks for
 * nothing beside it, an answer without it is no answer, so it is never left out either. */
const LOOKED_UP = ["session", "branch"];

/** Enough of the schema for the cache to tell which fragments a type matches. */
export const SCHEMA = {
  __schema: {
    queryType: { name: "Query" },
    mutationType: { name: "Mutation" },
    subscriptionType: { name: "Subscription" },
    types: [
      ...Object.entries(FIELDS).map(([name, fields]) => ({
        kind: "OBJECT",
        name,
        interfaces: Object.keys(INTERFACES)
          .filter((each) => isOf(INTERFACES, each, name))
          .map((each) => ({ kind: "INTERFACE", name: each })),
        fields: names(fields).map((field) => ({
          name: field,
          args: [],
          type:
            name === "Query" && LOOKED_UP.includes(field) ? NEVER_LEFT_OUT.ofType : NEVER_LEFT_OUT,
        })),
      })),
      ...Object.keys(INTERFACES).map((name) => ({
        kind: "INTERFACE",
        name,
        interfaces: [],
        fields: [],
        possibleTypes: objects(INTERFACES, name),
      })),
      ...Object.keys(UNIONS).map((name) => ({
        kind: "UNION",
        name,
        possibleTypes: objects(UNIONS, name),
      })),
    ],
  },
} as unknown as Schema;

const ROOTS = ["Query", "Mutation", "Subscription"];

/** Types without an identity of their own are kept within what holds them. Their `id`, where they have one,
 * names something else. */
export const KEYS: NonNullable<CacheExchangeOpts["keys"]> = Object.fromEntries(
  Object.keys(FIELDS)
    .filter((name) => !ROOTS.includes(name) && !isOf(INTERFACES, "Node", name))
    .map((name) => [name, () => null]),
);

function names(list: string | undefined): string[] {
  return list?.split(" ") ?? [];
}

function isOf(abstract: Record<string, string>, name: string, type: string): boolean {
  return names(abstract[name]).includes(type);
}

function objects(abstract: Record<string, string>, name: string) {
  return names(abstract[name]).map((type) => ({ kind: "OBJECT", name: type }));
}
