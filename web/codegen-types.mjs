/** What the cache has to know of the schema: which fields a type has, and which types stand behind an
 * abstract one. */
import { isAbstractType, isInterfaceType, isObjectType } from "graphql";

export function plugin(schema) {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith("__"));
  const fields = Object.fromEntries(
    types.filter(isObjectType).map((type) => [type.name, Object.keys(type.getFields()).join(" ")]),
  );
  const kinds = { INTERFACE: {}, UNION: {} };
  for (const type of types.filter(isAbstractType)) {
    const kind = isInterfaceType(type) ? "INTERFACE" : "UNION";
    kinds[kind][type.name] = schema
      .getPossibleTypes(type)
      .map(({ name }) => name)
      .join(" ");
  }
  return [
    `export const FIELDS: Record<string, string> = ${JSON.stringify(fields)};`,
    `export const INTERFACES: Record<string, string> = ${JSON.stringify(kinds.INTERFACE)};`,
    `export const UNIONS: Record<string, string> = ${JSON.stringify(kinds.UNION)};`,
  ].join("\n");
}
