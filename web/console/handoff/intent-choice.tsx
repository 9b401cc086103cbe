import type { HandoffIntent } from "./operations";

const CHOICES: { intent: HandoffIntent; word: string; meaning: string }[] = [
  { intent: "PARK", word: "Park", meaning: "It goes on later, when something has come." },
  { intent: "ESCALATE", word: "Escalate", meaning: "Somebody else has to take it over." },
];

export function IntentChoice({
  intent,
  onChoose,
}: {
  intent: HandoffIntent;
  onChoose: (intent: HandoffIntent) => void;
}) {
  return (
    <fieldset className="grid grid-cols-2 gap-2">
      <legend className="sr-only">Park or escalate</legend>
      {CHOICES.map((choice) => (
        <label
          key={choice.intent}
          className="flex cursor-pointer gap-2 rounded border border-edge/50 px-3 py-2 transition-colors hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft"
        >
          <input
            type="radio"
            name="intent"
            checked={choice.intent === intent}
            onChange={() => onChoose(choice.intent)}
            className="mt-1 size-3.5 shrink-0 accent-accent"
          />
          <span>
            <span className="block font-medium">{choice.word}</span>
            <span className="block text-xs text-ink-2">{choice.meaning}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
