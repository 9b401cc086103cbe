import type { SessionFilter, SessionListRowFragment, SessionsQuery } from "./operations";

type Sessions = SessionsQuery["sessions"];

/** A session that an event told of takes its place among the newest; one that is older than all that is
 * loaded comes with its page. */
export function withSession(
  known: Sessions,
  session: SessionListRowFragment,
  filter: SessionFilter | null | undefined,
): Sessions {
  if (known.edges.some(({ node }) => node.id === session.id)) return known;
  if (!isListed(session, filter)) return known;
  const edge = { __typename: "AiSessionEdge", cursor: session.id, node: session };
  const edges = [...known.edges, edge].sort((a, b) => newestFirst(a.node, b.node));
  if (edges.at(-1) === edge && known.pageInfo.hasNextPage) return known;
  return { ...known, edges } as Sessions;
}

/** Whether the session belongs to the list, as far as can be told here: what a search finds only the server
 * knows. */
export function isListed(
  session: SessionListRowFragment,
  filter: SessionFilter | null | undefined,
): boolean {
  const { status, assigneeId, teamId } = filter ?? {};
  return (
    (!status || status.includes(session.status)) &&
    (!assigneeId || session.assignee.id === assigneeId) &&
    (!teamId || session.team?.id === teamId)
  );
}

function newestFirst(a: SessionListRowFragment, b: SessionListRowFragment): number {
  return Date.parse(b.createdAt) - Date.parse(a.createdAt);
}
