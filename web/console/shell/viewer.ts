import { createContext, useContext } from "react";
import type { Auth, Identity } from "../../shared/auth";
import type { Socket } from "../graph/socket";

export const AuthContext = createContext<Auth | null>(null);
export const ViewerContext = createContext<Identity | null>(null);
export const SocketContext = createContext<Socket | null>(null);

export function useAuth(): Auth {
  return present(useContext(AuthContext));
}

/** Who is signed in. */
export function useViewer(): Identity {
  return present(useContext(ViewerContext));
}

export function useSocket(): Socket {
  return present(useContext(SocketContext));
}

function present<Value>(value: Value | null): Value {
  if (value === null) throw new Error("Used outside of the console.");
  return value;
}
