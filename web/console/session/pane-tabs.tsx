export type Pane = "map" | "talk" | "known";

const PANES: Record<Pane, string> = {
  map: "Branches",
  talk: "Conversation",
  known: "What we know",
};

/** On a phone one pane is shown at a time; where there is room for two the map stays. */
export function PaneTabs({ pane, onChoose }: { pane: Pane; onChoose: (pane: Pane) => void }) {
  return (
    <nav aria-label="Parts of the page" className="flex shrink-0 border-b bg-panel lg:hidden">
      {(Object.keys(PANES) as Pane[]).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={each === pane}
          onClick={() => onChoose(each)}
          className="min-h-10 flex-1 md:first:hidden border-b-2 border-transparent text-xs text-ink-2 aria-pressed:border-accent aria-pressed:font-medium aria-pressed:text-ink"
        >
          {PANES[each]}
        </button>
      ))}
    </nav>
  );
}
