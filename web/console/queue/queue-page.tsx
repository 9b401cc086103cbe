import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { useLive } from "../graph/use-live";
import { Header } from "../shell/header";
import { useSocket } from "../shell/viewer";
import { Button } from "../ui/button";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { LiveSign } from "./live-sign";
import {
  QueueEventsDocument,
  type QueueFilter,
  QueuePageDocument,
  QueueTeamsDocument,
} from "./operations";
import { QueueTable } from "./queue-table";

type View = "team" | "all" | "escalated" | "parked" | "late";

const VIEWS: Record<View, string> = {
  team: "My team",
  all: "All",
  escalated: "Escalated",
  parked: "Parked",
  late: "At risk",
};

const NOTHING: Record<View, string> = {
  team: "Nobody of your team waits.",
  all: "Nothing waits. What is escalated or parked appears here by itself.",
  escalated: "No escalation waits.",
  parked: "Nothing is parked.",
  late: "Everything is within its target.",
};

/** What waits to be claimed, live: elevated first, then the longest waiting. */
export function QueuePage() {
  const [{ data: people }] = useQuery({ query: QueueTeamsDocument });
  const teamId = people?.viewer.user?.team?.id;
  const [view, setView] = useState<View>("all");
  const [domain, setDomain] = useState("");
  const filter = useMemo(() => filterOf(view, teamId, domain), [view, teamId, domain]);
  const [pages, setPages] = useState<{ filter: QueueFilter; after: string } | null>(null);
  const queue = useLive({
    query: QueuePageDocument,
    variables: { filter },
    events: QueueEventsDocument,
    eventVariables: { filter },
  });
  const after = pages?.filter === filter ? pages.after : undefined;
  useQuery({ query: QueuePageDocument, variables: { filter, after }, pause: after === undefined });

  const found = queue.data?.queue;
  const views = (Object.keys(VIEWS) as View[]).filter((each) => each !== "team" || teamId);
  return (
    <>
      <Header title="Queue" about={<LiveSign socket={useSocket()} count={found?.totalCount} />} />
      <main className="mx-auto flex max-w-[1400px] flex-col gap-3 p-4 md:p-6">
        <div className="flex flex-wrap items-center gap-2">
          <fieldset className="flex flex-wrap gap-1">
            <legend className="sr-only">Which of them</legend>
            {views.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={each === view}
                onClick={() => setView(each)}
                className="min-h-8 rounded px-2.5 text-ink-2 transition-colors hover:bg-hover aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-ink"
              >
                {VIEWS[each]}
              </button>
            ))}
          </fieldset>
          <input
            type="search"
            aria-label="Domain"
            placeholder="Domain, as Email"
            value={domain}
            onChange={(event) => setDomain(event.target.value)}
            className="min-h-8 w-40 rounded border border-edge bg-panel px-2.5"
          />
          <p className="ml-auto text-xs text-ink-3">Elevated first, then longest waiting</p>
        </div>
        <section aria-label="Waiting" className="rounded border bg-panel">
          {queue.isLoading && <SkeletonRows count={5} className="h-12" />}
          {queue.error && !found && (
            <Failed what="The queue" error={queue.error} retry={queue.reload} />
          )}
          {found && (
            <QueueTable
              handoffs={found.edges.map(({ node }) => node)}
              whenEmpty={<Empty>{NOTHING[view]}</Empty>}
            />
          )}
        </section>
        {found?.pageInfo.hasNextPage && found.pageInfo.endCursor && (
          <Button
            className="self-center"
            onClick={() => setPages({ filter, after: found.pageInfo.endCursor ?? "" })}
          >
            Show more
          </Button>
        )}
      </main>
    </>
  );
}

function filterOf(view: View, teamId: string | undefined, domain: string): QueueFilter {
  const filter: QueueFilter = domain.trim() ? { domain: domain.trim() } : {};
  if (view === "team" && teamId) filter.teamId = teamId;
  if (view === "escalated") filter.intent = "ESCALATE";
  if (view === "parked") filter.intent = "PARK";
  if (view === "late") filter.slaState = ["AT_RISK", "BREACHED"];
  return filter;
}
