/** Prints what a visitor loads first, compressed, and fails when that is more than it may be. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 200_000;
const DIST = "dist/console";

const page = readFileSync(`${DIST}/index.html`, "utf8");
const entries = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(
  (m) => m[1],
);
const sizes = entries.map((name) => [name, gzipSync(readFileSync(DIST + name)).length]);
for (const [name, size] of sizes)
  console.log(`${(size / 1000).toFixed(1).padStart(7)} kB  ${name}`);
const scripts = sizes
  .filter(([name]) => name.endsWith(".js"))
  .reduce((sum, [, size]) => sum + size, 0);
console.log(
  `${(scripts / 1000).toFixed(1).padStart(7)} kB  of scripts before the first page, of ${LIMIT / 1000} allowed`,
);
if (scripts > LIMIT) process.exit(1);
