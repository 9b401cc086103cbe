import { useSyncExternalStore } from "react";
import type { Socket } from "../graph/socket";

export function LiveSign({ socket, count }: { socket: Socket; count: number | undefined }) {
  const line = useSyncExternalStore(socket.listen, socket.line);
  const waiting = count === undefined ? "" : `${count} waiting`;
  return <p>{[waiting, line === "live" ? "live" : ""].filter(Boolean).join(" · ")}</p>;
}
