import { useEffect } from "react";
import { useLocationProperty } from "wouter/use-browser-location";

const SEARCH_MS = 4_000;
const SHOWN_MS = 2_000;

/** Brings the message that the address names into sight, once it is there. */
export function useShownMessage(branchId: string): void {
  const hash = useLocationProperty(() => window.location.hash);
  useEffect(() => {
    const id = decodeURIComponent(hash.slice(1));
    if (!id || showMessage(id)) return;
    const watcher = new MutationObserver(() => showMessage(id) && watcher.disconnect());
    watcher.observe(document.body, { childList: true, subtree: true });
    const timer = window.setTimeout(() => watcher.disconnect(), SEARCH_MS);
    return () => {
      watcher.disconnect();
      window.clearTimeout(timer);
    };
  }, [branchId, hash]);
}

/** False while it is not on the page. */
export function showMessage(id: string): boolean {
  const found = document.getElementById(id);
  if (!found) return false;
  found.scrollIntoView({ block: "center" });
  const ground = getComputedStyle(found).getPropertyValue("--color-accent-soft");
  found.animate([{ backgroundColor: ground, offset: 0.7 }, {}], SHOWN_MS);
  return true;
}
