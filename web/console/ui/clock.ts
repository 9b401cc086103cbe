import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;

let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

/** One clock for the whole page; it stands still while nobody looks at it. */
function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

/** The time in milliseconds, to `step` milliseconds, so that what shows minutes is drawn each minute. */
export function useNow(step = TICK_MS): number {
  return useSyncExternalStore(listen, () => Math.floor((timer ? now : Date.now()) / step) * step);
}
