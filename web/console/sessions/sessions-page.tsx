import { Plus } from "lucide-react";
import { useMemo } from "react";
import { useQuery } from "urql";
import { useSearchParams } from "wouter";
import { SessionsDocument } from "../graph/operations";
import { isListed } from "../graph/session-list";
import { useLive } from "../graph/use-live";
import { useMore } from "../graph/use-more";
import { Header } from "../shell/header";
import { useViewer } from "../shell/viewer";
import { Button } from "../ui/button";
import { useHeldRows } from "../ui/held-rows";
import { KeyHints } from "../ui/row-keys";
import { useShortcuts } from "../ui/shortcuts";
import { ShowMore } from "../ui/show-more";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { FilterBar } from "./filter-bar";
import { addressOf, asked, type Filters, filtersOf, isFiltered } from "./filters";
import { PeopleDocument, SessionsEventsDocument } from "./operations";
import { SessionTable } from "./session-table";
import { StartDialog } from "./start-dialog";

/** All sessions that one may see, newest first, live. What is shown stands in the address. */
export default function SessionsPage() {
  const viewer = useViewer();
  const [address, setAddress] = useSearchParams();
  const [{ data: people }] = useQuery({ query: PeopleDocument });
  const filters = useMemo(() => filtersOf(address), [address]);
  const teamId = people?.viewer.user?.team?.id;
  const filter = useMemo(
    () => asked(filters, { id: viewer.id, teamId }),
    [filters, viewer.id, teamId],
  );
  const isTeamUnknown = filters.whose === "team" && !people;
  const live = useLive({
    query: SessionsDocument,
    variables: { filter },
    events: SessionsEventsDocument,
    eventVariables: { filter },
    pause: isTeamUnknown,
  });
  const more = useMore(SessionsDocument);
  const found = live.data?.sessions;
  const { rows, added, holding } = useHeldRows(
    found?.edges.map(({ node }) => node) ?? [],
    (session) => isListed(session, filter),
  );

  const isStarting = address.has("new");
  function show(changed: Filters): void {
    setAddress((before) => addressOf(changed, before), { replace: true });
  }
  function start(isOpen: boolean): void {
    setAddress(
      (before) => {
        const changed = new URLSearchParams(before);
        if (isOpen) changed.set("new", "");
        else changed.delete("new");
        return changed;
      },
      { replace: true },
    );
  }
  useShortcuts({
    c: (event) => {
      event.preventDefault();
      start(true);
    },
  });

  const newSession = (
    <Button look="primary" aria-keyshortcuts="c" onClick={() => start(true)}>
      <Plus aria-hidden className="size-4" />
      New session
    </Button>
  );
  return (
    <>
      <Header title="Sessions" actions={newSession} />
      <main className="mx-auto flex max-w-[1400px] flex-col gap-3 p-4 md:p-6">
        <FilterBar filters={filters} onChange={show} people={people} />
        <section aria-label="Sessions" {...holding} className="rounded border bg-panel">
          {live.isLoading && <SkeletonRows count={8} className="h-6" />}
          {live.error && !found && (
            <Failed what="The sessions" error={live.error} retry={live.reload} />
          )}
          {found && rows.length > 0 && <SessionTable sessions={rows} />}
          {found && rows.length === 0 && (
            <NoSessions
              isFiltered={isFiltered(filters)}
              showAll={() => show({ status: [], whose: "all", assigneeId: "", search: "" })}
              start={() => start(true)}
            />
          )}
        </section>
        {found?.pageInfo.hasNextPage && (
          <ShowMore more={more} variables={{ filter, after: found.pageInfo.endCursor }} />
        )}
        <div className="flex flex-wrap justify-between gap-x-4">
          <KeyHints
            keys={[
              [["J", "K"], "move"],
              [["Enter"], "open"],
              [["C"], "new session"],
            ]}
          />
          <p className="ml-auto text-xs text-ink-3">
            {added ? `${added} new at the end for now` : "Newest first"}
          </p>
        </div>
      </main>
      <StartDialog isOpen={isStarting} onClose={() => start(false)} people={people} />
    </>
  );
}

function NoSessions({
  isFiltered,
  showAll,
  start,
}: {
  isFiltered: boolean;
  showAll: () => void;
  start: () => void;
}) {
  return isFiltered ? (
    <Empty action={<Button onClick={showAll}>Show all sessions</Button>}>
      No session is like this.
    </Empty>
  ) : (
    <Empty
      action={
        <Button look="primary" onClick={start}>
          Start a session
        </Button>
      }
    >
      No sessions yet. Start one with what a client told you.
    </Empty>
  );
}
