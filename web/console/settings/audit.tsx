import { RefreshCw } from "lucide-react";
import { useMemo, useState } from "react";
import { useFresh } from "../graph/use-fresh";
import { Button } from "../ui/button";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { AuditEntryRow } from "./audit-entry";
import { type AuditChoice, AuditFilters, EVERYTHING, filterOf } from "./audit-filters";
import { idsIn, nameOf } from "./audit-words";
import { AuditDocument, type AuditFilter, AuditNamesDocument } from "./operations";
import { Panel, Section } from "./section";

export default function Audit() {
  const [choice, setChoice] = useState<AuditChoice>(EVERYTHING);
  const [round, setRound] = useState(0);
  const filter = useMemo(() => filterOf(choice), [choice]);
  return (
    <Section
      title="Audit"
      about="Who changed what, newest first. Entries are written with the change itself, and nobody can alter or delete them."
      action={
        <Button onClick={() => setRound(round + 1)}>
          <RefreshCw aria-hidden className="size-4" />
          Refresh
        </Button>
      }
    >
      <AuditFilters choice={choice} choose={setChoice} />
      <Panel>
        <Pages key={`${JSON.stringify(filter)} ${round}`} filter={filter} />
      </Panel>
    </Section>
  );
}

/** Pages go on from where the one before ended, so each is asked for once: what comes meanwhile moves
 * nothing. */
function Pages({ filter }: { filter: AuditFilter }) {
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  return (
    <ol className="divide-y divide-line">
      {cursors.map((after, place) => (
        <Page
          key={after}
          filter={filter}
          after={after}
          showMore={
            place === cursors.length - 1 ? (next) => setCursors([...cursors, next]) : undefined
          }
        />
      ))}
    </ol>
  );
}

function Page({
  filter,
  after,
  showMore,
}: {
  filter: AuditFilter;
  after: string | null;
  showMore: ((after: string) => void) | undefined;
}) {
  const found = useFresh(AuditDocument, { filter, after });
  const page = found.data?.viewer.account.auditEntries;
  const entries = useMemo(() => page?.edges.map(({ node }) => node) ?? [], [page]);
  const ids = useMemo(() => idsIn(entries), [entries]);
  const named = useFresh(AuditNamesDocument, { ids }, ids.length === 0);
  const names = useMemo(
    () => new Map(named.data?.nodes.flatMap((node) => (node ? [[node.id, nameOf(node)]] : []))),
    [named.data],
  );

  if (!page) {
    return (
      <li>
        {found.error ? (
          <Failed what="The audit" error={found.error} retry={found.reload} />
        ) : (
          <SkeletonRows count={6} className="h-6" />
        )}
      </li>
    );
  }
  const { hasNextPage, endCursor } = page.pageInfo;
  return (
    <>
      {entries.length === 0 && (
        <li>
          <Empty>Nothing was done that fits. Choose another action, person or time.</Empty>
        </li>
      )}
      {page.edges.map(({ cursor, node }) => (
        <AuditEntryRow key={cursor} entry={node} names={names} />
      ))}
      {showMore && hasNextPage && endCursor && (
        <li className="flex justify-center p-3">
          <Button onClick={() => showMore(endCursor)}>Show more</Button>
        </li>
      )}
    </>
  );
}
