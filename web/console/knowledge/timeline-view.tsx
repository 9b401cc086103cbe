import { Pause, Play, SkipBack, SkipForward, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "../ui/button";
import { Failed, SkeletonRows } from "../ui/states";
import { Moment } from "../ui/time";
import { sentence } from "./happening";
import { MomentTree } from "./moment-tree";
import { useMoment } from "./use-moment";
import { type TimelineEvent, useTimeline } from "./use-timeline";

const STEP_MS = 1_200;

/** The session as it was at each thing that happened; it begins and ends at now. */
export function TimelineView({ sessionId, onClose }: { sessionId: string; onClose: () => void }) {
  const { events, isComplete, isLoading, error, reload } = useTimeline(sessionId);
  return (
    <section aria-label="Replay" className="flex h-full flex-col bg-panel">
      <header className="flex items-center gap-3 border-b px-4 py-2.5">
        <h2 className="text-base font-semibold">Replay</h2>
        <p role="status" className="text-xs text-ink-2 tabular-nums">
          {isLoading ? `Reading, ${events.length} events so far` : `${events.length} events`}
        </p>
        <IconButton label="Close the replay" className="ml-auto" onClick={onClose}>
          <X aria-hidden className="size-4" />
        </IconButton>
      </header>
      {error && <Failed what="What happened" error={error} retry={reload} />}
      {!isComplete && (
        <p className="border-b bg-revived-soft px-4 py-2">
          What happened first was deleted for its age, so the tree of then cannot be shown.
        </p>
      )}
      {isLoading && events.length === 0 && <SkeletonRows count={4} className="h-8" />}
      {events.length > 0 && isComplete && <Replay sessionId={sessionId} events={events} />}
    </section>
  );
}

function Replay({ sessionId, events }: { sessionId: string; events: TimelineEvent[] }) {
  const last = events.length - 1;
  // Null: at now, also when later events are still being read.
  const [chosen, setChosen] = useState<number | null>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const place = Math.min(chosen ?? last, last);
  const moment = useMoment(sessionId, events[place]?.cursor);
  const { at, isCurrent } = moment;

  function go(to: number): void {
    setChosen(to >= last ? null : Math.max(0, to));
  }

  useEffect(() => {
    if (!isPlaying || !isCurrent) return;
    const timer = window.setTimeout(() => {
      const next = place + 1;
      setChosen(next >= last ? null : next);
      if (next >= last) setIsPlaying(false);
    }, STEP_MS);
    return () => window.clearTimeout(timer);
  }, [isPlaying, isCurrent, place, last]);

  function play(): void {
    if (!isPlaying && place >= last) setChosen(0);
    setIsPlaying(!isPlaying);
  }

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-col gap-2 border-b px-4 py-3">
        <div className="flex items-center gap-2">
          <IconButton label={isPlaying ? "Pause" : "Play"} onClick={play}>
            {isPlaying ? (
              <Pause aria-hidden className="size-4" />
            ) : (
              <Play aria-hidden className="size-4" />
            )}
          </IconButton>
          <IconButton label="One back" aria-disabled={place === 0} onClick={() => go(place - 1)}>
            <SkipBack aria-hidden className="size-4" />
          </IconButton>
          <input
            type="range"
            aria-label="Event"
            aria-valuetext={`${place + 1} of ${events.length}`}
            min={0}
            max={last}
            value={place}
            onChange={({ target }) => {
              setIsPlaying(false);
              go(target.valueAsNumber);
            }}
            onKeyDown={(pressed) => {
              if (pressed.key !== " ") return;
              pressed.preventDefault();
              play();
            }}
            className="h-8 min-w-0 flex-1 accent-accent"
          />
          <IconButton label="One on" aria-disabled={place === last} onClick={() => go(place + 1)}>
            <SkipForward aria-hidden className="size-4" />
          </IconButton>
          <Button look="quiet" aria-disabled={place === last} onClick={() => go(last)}>
            Now
          </Button>
        </div>
        <div
          aria-live="polite"
          aria-busy={!isCurrent}
          className="min-h-21 transition-opacity aria-busy:opacity-60"
        >
          <p className="text-xs text-ink-2">
            <span className="tabular-nums">
              {place + 1} of {events.length}
            </span>
            {at && (
              <>
                {" · "}
                {at.event.actor && (
                  <>
                    <bdi>{at.event.actor.displayName}</bdi>,{" "}
                  </>
                )}
                <Moment at={at.occurredAt} />
              </>
            )}
          </p>
          <p dir="auto" className="line-clamp-3">
            {at && sentence(at.event)}
          </p>
        </div>
      </div>
      <MomentTree sessionId={sessionId} moment={moment} />
    </div>
  );
}
