import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { inOneHour, localInput, tomorrowAtEight } from "./wake";

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const QUICK = [
  { label: "In 1 h", when: inOneHour },
  { label: "Tomorrow 8:00", when: tomorrowAtEight },
];

/** When what is parked is due again; empty for at no certain time. */
export function WakeField({
  value,
  onChange,
  problem,
}: {
  value: string;
  onChange: (value: string) => void;
  problem: string | undefined;
}) {
  return (
    <div className="flex flex-wrap items-start gap-2">
      <TextField
        label="Due again at"
        type="datetime-local"
        className="min-w-56 flex-1"
        hint={`Your time (${ZONE}). Empty: at no certain time.`}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        problem={problem}
      />
      <div className="flex gap-2 sm:mt-6">
        {QUICK.map(({ label, when }) => (
          <Button key={label} onClick={() => onChange(localInput(when(new Date())))}>
            {label}
          </Button>
        ))}
      </div>
    </div>
  );
}
