/** Lists what the console sends, letter by letter, by its hashes: the server trusts that. */
import { createHash } from "node:crypto";
import { globSync, writeFileSync } from "node:fs";
import { formatDocument, stringifyDocument } from "urql";
import { runnerImport } from "vite";

const FILES = ["./shared/auth-documents.ts", ...globSync("./console/*/operations.ts")];

function isSent(value) {
  if (typeof value === "string") return true;
  return value.kind === "Document" && value.definitions.some((one) => "operation" in one);
}

const texts = [];
for (const file of FILES) {
  const { module } = await runnerImport(file);
  for (const value of Object.values(module).filter(isSent))
    texts.push(typeof value === "string" ? value : stringifyDocument(formatDocument(value)));
}
const hash = (text) => createHash("sha256").update(text).digest("hex");
writeFileSync(
  "dist/console/documents.json",
  JSON.stringify(Object.fromEntries(texts.map((text) => [hash(text), text]))),
);
console.log(`${String(texts.length).padStart(7)} documents of the console`);
