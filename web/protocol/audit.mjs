// Runs every audit of GraphQL over HTTP against a server and prints those that fail, as JSON.
import { auditServer } from "graphql-http";

const [url, token] = process.argv.slice(2);

// Some audits ask for the schema, which is for those who have signed in.
function fetchFn(input, init) {
  return fetch(input, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${token}` } });
}

const results = await auditServer({ url, fetchFn });
const failed = results.filter((result) => result.status !== "ok");
console.log(
  JSON.stringify({
    audits: results.length,
    failed: failed.map(({ id, name, reason }) => `${id} ${name}: ${reason}`),
  }),
);
