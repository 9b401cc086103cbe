import { type ReactNode, useRef, useState } from "react";
import type { QueueRowFragment } from "./operations";
import { QueueRow } from "./queue-row";

const HEADS = ["Intent", "Problem and what to know", "Tree", "From", "Waiting", "Target"];

/** While somebody points at it or has the focus in it no row moves and none goes: what was claimed elsewhere
 * says so in its place, and what is new comes last. */
export function QueueTable({
  handoffs,
  whenEmpty,
}: {
  handoffs: QueueRowFragment[];
  whenEmpty: ReactNode;
}) {
  const [isHeld, setIsHeld] = useState(false);
  const held = useRef<string[]>([]);
  const first = useRef(new Set(handoffs.map(({ id }) => id)));
  const rows = isHeld ? inPlace(held.current, handoffs) : handoffs.filter(isOpen);
  held.current = rows.map(({ id }) => id);

  if (rows.length === 0) return whenEmpty;
  return (
    <table
      className="w-full border-collapse max-md:block"
      onPointerEnter={() => setIsHeld(true)}
      onPointerLeave={() => setIsHeld(false)}
      onFocus={() => setIsHeld(true)}
      onBlur={(event) => setIsHeld(event.currentTarget.contains(event.relatedTarget))}
    >
      <thead className="max-md:sr-only">
        <tr className="border-b text-left text-xs text-ink-2">
          {HEADS.map((head) => (
            <th key={head} scope="col" className="px-3 py-2 font-medium whitespace-nowrap">
              {head}
            </th>
          ))}
          <th scope="col" className="px-3 py-2">
            <span className="sr-only">Claim</span>
          </th>
        </tr>
      </thead>
      <tbody className="max-md:block">
        {rows.map((handoff) => (
          <QueueRow key={handoff.id} handoff={handoff} isNew={!first.current.has(handoff.id)} />
        ))}
      </tbody>
    </table>
  );
}

function isOpen({ state }: QueueRowFragment): boolean {
  return state === "OPEN";
}

/** In the order that was shown, also what has gone since; then what is new. */
export function inPlace(shown: string[], handoffs: QueueRowFragment[]): QueueRowFragment[] {
  const byId = new Map(handoffs.map((handoff) => [handoff.id, handoff]));
  const kept = shown.flatMap((id) => byId.get(id) ?? []);
  const added = handoffs.filter((handoff) => isOpen(handoff) && !shown.includes(handoff.id));
  return [...kept, ...added];
}
