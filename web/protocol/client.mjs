// A partner's day with the graphql-ws or the graphql-sse client as published: prints what it saw, as JSON.
import { createClient as eventStreams } from "graphql-sse";
import { createClient as sockets } from "graphql-ws";

const [kind, host, token] = process.argv.slice(2);
const credentials = { Authorization: `Bearer ${token}` };
const client =
  kind === "graphql-ws"
    ? sockets({ url: `ws://${host}/graphql`, connectionParams: credentials })
    : eventStreams({ url: `http://${host}/graphql`, headers: credentials });

const START = `mutation($key: UUID!) {
  startSession(input: { idempotencyKey: $key, intake: { text: "The VPN drops" } }) { __typename }
}`;
const FOLLOW = `subscription($after: String) {
  sessionsChanged(after: $after) { __typename ... on Event { cursor } }
}`;

async function only(request) {
  const results = [];
  for await (const result of client.iterate(request)) results.push(result);
  return results.length === 1 ? results[0] : { unexpected: results };
}

const start = async () =>
  (await only({ query: START, variables: { key: crypto.randomUUID() } })).data.startSession
    .__typename;

async function refusal() {
  try {
    const { errors } = await only({ query: "{ nothing }" });
    return errors[0].extensions.code;
  } catch (errors) {
    return errors[0].extensions.code;
  }
}

const seen = { viewer: (await only({ query: "{ viewer { scopes } }" })).data };
const { data } = await only({ query: "{ sessions { eventCursor } }" });
let after = data.sessions.eventCursor;

const events = client.iterate({ query: FOLLOW, variables: { after } });
const first = events.next();
seen.started = await start();
const { value } = await first;
seen.event = value.data.sessionsChanged.__typename;
after = value.data.sessionsChanged.cursor;
await events.return();

seen.refused = await refusal();
seen.missed = await start();
const resumed = client.iterate({ query: FOLLOW, variables: { after } });
for await (const { data } of resumed) {
  // What the assistant does in the first session lies between.
  const { __typename, cursor } = data.sessionsChanged;
  if (cursor <= after) throw new Error("an event came twice");
  seen.resumed = __typename;
  if (__typename === "SessionStarted") break;
}

console.log(JSON.stringify(seen));
await client.dispose();
