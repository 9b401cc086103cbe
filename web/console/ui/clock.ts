import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;
/** Less than that may be the way of the answer. */
const SKEW_MS = 5_000;

let skew = 0;
let now = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

/** Ages are told by the server's clock, whatever this machine's says. */
export function setServerTime(date: string | null): void {
  const off = Date.parse(date ?? "") - Date.now();
  if (Math.abs(off - skew) > SKEW_MS) skew = off;
}

function time(): number {
  return Date.now() + skew;
}

/** One clock for the whole page; it stands still while nobody looks at it. */
function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = time();
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
  return useSyncExternalStore(listen, () => Math.floor((timer ? now : time()) / step) * step);
}
