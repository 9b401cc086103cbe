import { type KeyboardEvent, type PointerEvent, useState } from "react";

const KEY = "flowpilot.mapWidth";
const LEAST = 200;
const MOST = 640;
const USUAL = 264;
const STEP = 24;

/** How wide the map is; remembered on this device. */
export function useMapWidth(): [number, (width: number) => void] {
  const [width, setWidth] = useState(() => Number(localStorage.getItem(KEY)) || USUAL);
  function choose(wanted: number): void {
    const chosen = Math.round(Math.min(Math.max(wanted, LEAST), MOST));
    localStorage.setItem(KEY, String(chosen));
    setWidth(chosen);
  }
  return [width, choose];
}

/** Between the map and the conversation: drawn, or moved by arrow keys; a double click sets it back. */
export function Splitter({
  width,
  onChange,
}: {
  width: number;
  onChange: (width: number) => void;
}) {
  function onPointerMove(event: PointerEvent): void {
    if (event.buttons === 1) onChange(event.clientX);
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "ArrowLeft") onChange(width - STEP);
    if (event.key === "ArrowRight") onChange(width + STEP);
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule between texts cannot be moved
    <div
      role="separator"
      aria-label="Width of the map"
      aria-orientation="vertical"
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onPointerMove}
      onDoubleClick={() => onChange(USUAL)}
      onKeyDown={onKeyDown}
      className="-mx-1 hidden w-2 shrink-0 cursor-col-resize touch-none transition-colors hover:bg-accent/30 focus-visible:bg-accent/30 md:block"
    />
  );
}
