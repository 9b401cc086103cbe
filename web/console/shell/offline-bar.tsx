import { useSyncExternalStore } from "react";
import type { Socket } from "../graph/socket";

/** A thin sign that the page is not live for the moment; what comes after is complete all the same. */
export function OfflineBar({ socket }: { socket: Socket }) {
  const line = useSyncExternalStore(socket.listen, socket.line);
  return (
    <div role="status" className="sticky top-0 z-30">
      {line === "reconnecting" && (
        <p className="bg-revived-soft px-4 py-0.5 text-center text-xs text-revived">
          Reconnecting, nothing is lost
        </p>
      )}
    </div>
  );
}
