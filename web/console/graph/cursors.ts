import { type Exchange, mapExchange } from "urql";

/** The `eventCursor` of each query's last answer, by the operation's key. Read as it came from the server:
 * in the cache another query's newer answer may have taken its place, and events between the two would
 * be missed. */
const CURSORS = new Map<number, string>();

export const cursorExchange: Exchange = mapExchange({
  onResult({ operation, data }) {
    if (operation.kind !== "query") return;
    for (const field of Object.values((data ?? {}) as Record<string, unknown>)) {
      const cursor = (field as { eventCursor?: string } | null)?.eventCursor;
      if (cursor) CURSORS.set(operation.key, cursor);
    }
  },
});

export function answeredCursor(operationKey: number): string | undefined {
  return CURSORS.get(operationKey);
}

export function forgetCursor(operationKey: number): void {
  CURSORS.delete(operationKey);
}
