// The schema that PostGraphile generates over FlowPilot's tables, at its fastest: lists instead of
// connections, and the answer written as text while its plan runs.

import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

const named = (foreignSimpleFieldName) => ({ tags: { foreignSimpleFieldName } });

// Connections stay open while others are measured.
const pool = new pg.Pool({ max: Number(process.env.POOL_SIZE), idleTimeoutMillis: 0 });
const server = createServer();
const serv = postgraphile({
  extends: [PostGraphileAmberPreset],
  // It looks for an index of all columns of a foreign key; that of children leaves out the session.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  plugins: [
    jsonPgSmartTags({
      version: 1,
      config: {
        class: {
          session_branches: {
            constraint: {
              fk_session_branches_account_id_session_id: named("branches"),
              fk_session_branches_account_id_session_id_parent_branch_id: named("children"),
            },
          },
        },
      },
    }),
  ],
  pgServices: [makePgService({ pool, pubsub: false })],
  schema: { defaultBehavior: "+list -connection" },
  grafserv: { graphiql: false, websockets: false, outputDataAsString: true },
}).createServ(grafserv);
await serv.addTo(server);
await serv.ready();
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
