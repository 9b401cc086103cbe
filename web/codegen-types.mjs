/** What the cache has to know of the schema: which types stand behind an abstract one, and which have no
 * identity of their own and are kept within what holds them. */
import { isAbstractType, isObjectType } from "graphql";

const ROOTS = ["Query", "Mutation", "Subscription"];

export function plugin(schema) {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith("__"));
  const possible = types
    .filter(isAbstractType)
    .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]);
  const embedded = types
    .filter(isObjectType)
    .filter((type) => !ROOTS.includes(type.name))
    .filter((type) => !type.getInterfaces().some(({ name }) => name === "Node"))
    .map(({ name }) => name);
  return [
    `export const POSSIBLE_TYPES: Record<string, string[]> = ${JSON.stringify(Object.fromEntries(possible))};`,
    `export const EMBEDDED: string[] = ${JSON.stringify(embedded)};`,
  ].join("\n");
}
