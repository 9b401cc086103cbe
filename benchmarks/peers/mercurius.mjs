// Mercurius with graphql-jit over one prepared statement, whose rows are nested in memory.

import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

const SCHEMA = `
  enum BranchStatus { untried active dead_end solved revived }
  type Branch {
    id: ID!
    label: String!
    description: String
    order: Int!
    depth: Int!
    status: BranchStatus!
    statusReason: String
    isActive: Boolean!
    version: Int!
    createdAt: String!
    children: [Branch!]!
  }
  type Session { id: ID! rootBranch: Branch! }
  type Query { session(id: ID!): Session }
`;

const TREE = `
  SELECT branch.id, branch.parent_branch_id AS parent, label, description, branch_order AS order,
    depth, branch.status, branch.status_reason AS "statusReason",
    session.active_branch_id = branch.id AS "isActive", branch.version,
    branch.created_at AS "createdAt"
  FROM session_branches branch
  JOIN ai_sessions session
    ON session.account_id = branch.account_id AND session.id = branch.session_id
  WHERE branch.account_id = $1 AND branch.session_id = $2 AND branch.archived_at IS NULL
  ORDER BY depth, branch_order
`;

// The database tells the time in UTC; no Date need be made of it.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) =>
  text.replace(" ", "T").replace("+00", "Z"),
);
// Connections stay open while others are measured.
const pool = new pg.Pool({ max: Number(process.env.POOL_SIZE), idleTimeoutMillis: 0 });

async function session(_, { id }) {
  const values = [process.env.ACCOUNT_ID, id];
  const { rows } = await pool.query({ name: "tree", text: TREE, values });
  const branches = new Map();
  for (const row of rows) {
    row.children = [];
    branches.set(row.id, row);
    branches.get(row.parent)?.children.push(row);
  }
  return rows.length ? { id, rootBranch: rows[0] } : null;
}

const app = Fastify();
app.register(mercurius, { schema: SCHEMA, resolvers: { Query: { session } }, jit: 1 });
console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
