import { type ReactNode, useRef, useState } from "react";
import { useHeldRows } from "../ui/held-rows";
import { KeyHints, useRowKeys } from "../ui/row-keys";
import { useShortcuts } from "../ui/shortcuts";
import type { QueueRowFragment } from "./operations";
import { QueueRow } from "./queue-row";

const HEADS = ["Intent", "Problem and what to know", "Tree", "From", "Waiting", "Target"];

/** What was claimed elsewhere goes, unless one points at the table or has tried to claim it, too. */
export function QueueTable({
  handoffs,
  arrived,
  whenEmpty,
}: {
  handoffs: QueueRowFragment[];
  /** Those that came while one was looking. */
  arrived: ReadonlySet<string>;
  whenEmpty: ReactNode;
}) {
  const table = useRef<HTMLTableElement>(null);
  const [tried, setTried] = useState<string[]>([]);
  const [dismissed, setDismissed] = useState<string[]>([]);
  const { rows, added, holding } = useHeldRows(
    handoffs.filter(({ id }) => !dismissed.includes(id)),
    ({ id, state }) => state === "OPEN" || tried.includes(id),
  );
  useRowKeys(table);
  useShortcuts({
    c: () =>
      document.activeElement?.closest("tr")?.querySelector<HTMLElement>("[data-claim]")?.click(),
  });

  return (
    <>
      <section aria-label="Waiting" {...holding} className="rounded border bg-panel">
        {rows.length === 0 ? (
          whenEmpty
        ) : (
          <table ref={table} className="w-full border-collapse max-md:block">
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
                <QueueRow
                  key={handoff.id}
                  handoff={handoff}
                  isNew={arrived.has(handoff.id)}
                  onTry={() => setTried([...tried, handoff.id])}
                  onDismiss={() => setDismissed([...dismissed, handoff.id])}
                />
              ))}
            </tbody>
          </table>
        )}
      </section>
      <div className="flex flex-wrap justify-between gap-x-4">
        <KeyHints
          keys={[
            [["J", "K"], "move"],
            [["Enter"], "open"],
            [["C"], "claim"],
          ]}
        />
        <p className="ml-auto text-xs text-ink-3">
          {added ? `${added} new at the end for now` : "Elevated first, then longest waiting"}
        </p>
      </div>
    </>
  );
}
