import { useSyncExternalStore } from "react";
import type { Socket } from "../graph/socket";

/** A thin sign that the page is not live for the moment; what comes after is complete all the same. */
export function OfflineBar({ socket }: { socket: Socket }) {
  const line = useSyncExternalStore(socket.listen, socket.line);
  const isOnline = useSyncExternalStore(listen, () => navigator.onLine);
  return (
    <div role="status">
      {(line === "reconnecting" || !isOnline) && (
        <p className="bg-revived-soft px-4 py-0.5 text-center text-xs text-revived">
          Reconnecting, nothing is lost
        </p>
      )}
    </div>
  );
}

function listen(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}
