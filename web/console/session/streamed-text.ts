import type { MessageStreamSubscription } from "./operations";

type Piece = MessageStreamSubscription["messageStreamed"];

/** The text of an answer so far. Offsets count characters as the server does, of which JavaScript may take two
 * units for one; a piece that does not fit waits for the snapshot that the next connection begins with. */
export function streamedText(soFar: string, piece: Piece): string {
  if (piece.__typename === "MessageSnapshot") return piece.text;
  if (piece.__typename === "MessageEnded") return piece.message.body;
  return Array.from(soFar).length === piece.offset ? soFar + piece.text : soFar;
}
