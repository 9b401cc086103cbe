import { useQuery } from "urql";
import { type HandoffLineFragment, SessionHandoffsDocument } from "./operations";

/** As the page knows them, newest first; the banner keeps them current. */
export function useHandoffs(sessionId: string): HandoffLineFragment[] {
  const [{ data }] = useQuery({ query: SessionHandoffsDocument, variables: { id: sessionId } });
  return data?.session?.handoffs ?? [];
}
