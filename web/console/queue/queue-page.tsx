import { useMemo } from "react";
import { useQuery } from "urql";
import { useSearchParams } from "wouter";
import { inQueueOrder } from "../graph/cache";
import { QueueDocument } from "../graph/operations";
import { useLive } from "../graph/use-live";
import { useMore } from "../graph/use-more";
import { Header } from "../shell/header";
import { useSocket } from "../shell/viewer";
import { Button } from "../ui/button";
import { Segments } from "../ui/segments";
import { ShowMore } from "../ui/show-more";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { DomainSelect } from "./domain-select";
import { LiveSign } from "./live-sign";
import { QueueEventsDocument, QueueViewerDocument } from "./operations";
import { QueueTable } from "./queue-table";
import { useArrivals } from "./use-arrivals";
import { useQueueCounts } from "./use-queue-counts";
import { addressOf, asked, type Shown, shownOf, VIEWS, type View } from "./views";

const LABELS: Record<View, string> = {
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
  const [{ data: people }] = useQuery({ query: QueueViewerDocument });
  const teamId = people?.viewer.user?.team?.id;
  const [address, setAddress] = useSearchParams();
  const shown = useMemo(() => shownOf(address), [address]);
  const filter = useMemo(() => asked(shown, teamId), [shown, teamId]);
  const arrivals = useArrivals();
  const queue = useLive({
    query: QueueDocument,
    variables: { filter },
    events: QueueEventsDocument,
    eventVariables: { filter },
    onEvent: arrivals.notice,
    pause: shown.view === "team" && !people,
  });
  const more = useMore(QueueDocument);
  const { counts, domains, isCut } = useQueueCounts(teamId);

  const found = queue.data?.queue;
  const views = VIEWS.filter((view) => view !== "team" || teamId);
  const show = (changes: Partial<Shown>) =>
    setAddress(addressOf({ ...shown, ...changes }), { replace: true });
  return (
    <>
      <Header title="Queue" about={<LiveSign socket={useSocket()} count={counts.all} />} />
      <main className="mx-auto flex max-w-[1400px] flex-col gap-3 p-4 md:p-6">
        <div className="flex flex-wrap items-center gap-2">
          <Segments
            label="Which of them"
            items={views.map((id) => ({
              id,
              label: LABELS[id],
              count: shown.domain ? undefined : counts[id],
            }))}
            chosen={shown.view}
            onChoose={(view) => show({ view })}
          />
          <DomainSelect
            domains={domains}
            isCut={isCut}
            chosen={shown.domain}
            onChoose={(domain) => show({ domain })}
          />
        </div>
        <p role="status" className="sr-only">
          {arrivals.news}
        </p>
        {queue.isLoading && (
          <div className="rounded border bg-panel">
            <SkeletonRows count={5} className="h-12" />
          </div>
        )}
        {queue.error && !found && (
          <Failed what="The queue" error={queue.error} retry={queue.reload} />
        )}
        {found && (
          <QueueTable
            handoffs={found.edges.map(({ node }) => node).sort(inQueueOrder)}
            arrived={arrivals.ids}
            whenEmpty={
              shown.domain ? (
                <Empty action={<Button onClick={() => show({ domain: "" })}>All domains</Button>}>
                  {`Nothing of the domain ${shown.domain} waits here.`}
                </Empty>
              ) : (
                <Empty>{NOTHING[shown.view]}</Empty>
              )
            }
          />
        )}
        {found?.pageInfo.hasNextPage && (
          <ShowMore more={more} variables={{ filter, after: found.pageInfo.endCursor }} />
        )}
      </main>
    </>
  );
}
