export type Pane = "map" | "talk" | "known";

const PANES: Record<Pane, string> = {
  map: "Branches",
  talk: "Conversation",
  known: "What we know",
};

/** On a phone one pane is shown at a time. */
export function PaneTabs({ pane, onChoose }: { pane: Pane; onChoose: (pane: Pane) => void }) {
  return (
    <nav aria-label="Parts of the page" className="flex shrink-0 border-b bg-panel md:hidden">
      {(Object.keys(PANES) as Pane[]).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === pane}
          onClick={() => onChoose(each)}
          className="min-h-10 flex-1 border-b-2 border-transparent text-xs text-ink-2 aria-pressed:border-accent aria-pressed:font-medium aria-pressed:text-ink"
        >
          {PANES[each]}
        </button>
      ))}
    </nav>
  );
}
