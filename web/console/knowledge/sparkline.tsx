import { exactly } from "../ui/time";
import { percent } from "./likely";
import type { RankingRowFragment } from "./operations";

const WIDTH = 240;
const HEIGHT = 40;
const MARGIN = 4;

/** How likely a hypothesis was held to be, ranking by ranking: the whole height is 100 %. */
export function Sparkline({ rankings }: { rankings: RankingRowFragment[] }) {
  const first = rankings[0];
  const last = rankings.at(-1);
  if (!first || !last || rankings.length < 2) return null;
  const points = rankings.map(({ likelihood }, place) => ({
    x: MARGIN + (place / (rankings.length - 1)) * (WIDTH - 2 * MARGIN),
    y: HEIGHT - MARGIN - likelihood * (HEIGHT - 2 * MARGIN),
  }));
  const end = points.at(-1);
  const words = `From ${percent(first.likelihood)} to ${percent(last.likelihood)} over ${rankings.length} rankings`;
  return (
    <figure className="flex flex-col gap-1">
      <svg
        role="img"
        aria-label={`${words}: ${rankings.map(({ likelihood }) => percent(likelihood)).join(", ")}`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        className="h-10 w-full text-accent"
        preserveAspectRatio="none"
      >
        <path
          d={`M0 ${HEIGHT - MARGIN}H${WIDTH}`}
          className="stroke-line"
          vectorEffect="non-scaling-stroke"
        />
        <polyline
          points={points.map(({ x, y }) => `${x},${y}`).join(" ")}
          fill="none"
          stroke="currentColor"
          strokeWidth={1.5}
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
        <path
          d={`M${end?.x} ${end?.y}h0.01`}
          stroke="currentColor"
          strokeWidth={6}
          strokeLinecap="round"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <figcaption className="text-xs text-ink-3" title={`Since ${exactly(first.createdAt)}`}>
        {words}
      </figcaption>
    </figure>
  );
}
