import { type FocusEvent, useRef, useState } from "react";

interface Item {
  id: string;
}

/** While somebody points at a list or has the focus in it no row moves and none goes: what left it says so in
 * its place, and what is new comes last. */
export function useHeldRows<Row extends Item>(
  items: Row[],
  belongs: (item: Row) => boolean,
): {
  rows: Row[];
  /** How many came since and stand at the end. */
  added: number;
  /** For the element around the rows. */
  holding: object;
} {
  const [held, setHeld] = useState<string[] | null>(null);
  const shown = useRef<string[]>([]);
  const isHeld = held !== null && held.length > 0;
  const rows = isHeld ? inPlace(shown.current, items, belongs) : items.filter(belongs);
  shown.current = rows.map(({ id }) => id);
  const hold = () => setHeld((before) => (before?.length ? before : shown.current));
  const letGo = () => setHeld(null);
  return {
    rows,
    added: isHeld ? rows.filter(({ id }) => !held.includes(id)).length : 0,
    holding: {
      onPointerMove: hold,
      onPointerLeave: letGo,
      onFocus: hold,
      onBlur: (event: FocusEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget)) letGo();
      },
    },
  };
}

/** In the order that was shown, also what has left since; then what is new. */
export function inPlace<Row extends Item>(
  shown: string[],
  items: Row[],
  belongs: (item: Row) => boolean,
): Row[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const kept = shown.flatMap((id) => byId.get(id) ?? []);
  const added = items.filter((item) => belongs(item) && !shown.includes(item.id));
  return [...kept, ...added];
}
