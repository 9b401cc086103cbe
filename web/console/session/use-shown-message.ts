import { useEffect } from "react";

const SEARCH_MS = 4_000;

/** Brings the message that the address names into sight, once it is there. */
export function useShownMessage(branchId: string): void {
  const { hash } = window.location;
  useEffect(() => {
    const id = decodeURIComponent(hash.slice(1));
    if (!id) return;
    const look = (): boolean => {
      const found = document.getElementById(id);
      found?.scrollIntoView({ block: "center" });
      return found !== null;
    };
    if (look()) return;
    const watcher = new MutationObserver(() => look() && watcher.disconnect());
    watcher.observe(document.body, { childList: true, subtree: true });
    const timer = window.setTimeout(() => watcher.disconnect(), SEARCH_MS);
    return () => {
      watcher.disconnect();
      window.clearTimeout(timer);
    };
  }, [branchId, hash]);
}
