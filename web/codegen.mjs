/** For each folder of the console the types and documents of its `.graphql` files, so that a page
 * loads only its own. Fragments of `graph/` may be used in all of them. */
import { globSync } from "node:fs";
import { dirname } from "node:path";

const CACHE = "console/graph";
const FRAGMENTS = [`${CACHE}/fragments.graphql`, `${CACHE}/conversation.graphql`];
const PLUGINS = ["typescript-operations", "typed-document-node"];

const pages = new Set(globSync("console/*/*.graphql").map((file) => dirname(file)));
pages.delete(CACHE);

export default {
  schema: "../schema/schema.graphql",
  silent: true,
  config: {
    useTypeImports: true,
    optimizeDocumentNode: true,
    scalars: { ID: "string", DateTime: "string", UUID: "string", Upload: "File" },
    strictScalars: true,
  },
  generates: {
    [`${CACHE}/types.ts`]: { plugins: ["./codegen-types.mjs"] },
    [`${CACHE}/operations.ts`]: { documents: `${CACHE}/*.graphql`, plugins: PLUGINS },
    ...Object.fromEntries(
      [...pages].map((page) => [
        `${page}/operations.ts`,
        { documents: [...FRAGMENTS, `${page}/*.graphql`], plugins: PLUGINS },
      ]),
    ),
  },
};
