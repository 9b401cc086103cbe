import { useRef, useState } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Dialog } from "../ui/dialog";
import { CheckField, SelectField, TextField } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { dateInput, inDays, lastSecondOf } from "./days";
import { Form } from "./form";
import { CreateApiKeyDocument, type Scope } from "./operations";
import { SCOPES } from "./words";

const LIVES: [days: string, label: string][] = [
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
  ["day", "On a day"],
  ["", "Never"],
];

const CHOSEN: Scope[] = ["WRITE", "ADMIN"];

export function KeyDialog({
  onCreated,
  onClose,
}: {
  onCreated: (name: string, secret: string) => void;
  onClose: () => void;
}) {
  const idempotencyKey = useRef(newKey());
  const create = useAction(CreateApiKeyDocument);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["READ"]);
  const [life, setLife] = useState("90");
  const [lastDay, setLastDay] = useState(dateInput(inDays(90)));

  async function submit(): Promise<void> {
    const made = await create.run({
      input: {
        idempotencyKey: idempotencyKey.current,
        name,
        scopes,
        expiresAt: expiryOf(life, lastDay),
      },
    });
    if (made) onCreated(made.apiKey.name, made.secret);
  }

  function toggle(scope: Scope): void {
    setScopes(
      scopes.includes(scope) ? scopes.filter((each) => each !== scope) : [...scopes, scope],
    );
  }

  return (
    <Dialog title="Make an API key" isOpen isDismissable={false} onClose={onClose}>
      <Form
        action={create}
        inputs={["name", "expiresAt"]}
        submit="Make the key"
        busy="Making it…"
        onSubmit={() => void submit()}
        onCancel={onClose}
      >
        <TextField
          label="Name"
          hint="What uses it, for those who find it here in a year."
          required
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
          problem={fieldProblem(create.refusal, "name")}
        />
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 text-xs font-medium text-ink-2">What it may do</legend>
          <CheckField label={<Right scope="READ" />} checked disabled readOnly />
          {CHOSEN.map((scope) => (
            <CheckField
              key={scope}
              label={<Right scope={scope} />}
              checked={scopes.includes(scope)}
              onChange={() => toggle(scope)}
            />
          ))}
        </fieldset>
        <div className="flex flex-wrap gap-4">
          <SelectField
            label="Expires"
            value={life}
            onChange={(event) => setLife(event.target.value)}
            problem={fieldProblem(create.refusal, "expiresAt")}
            className="min-w-40 flex-1"
          >
            {LIVES.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </SelectField>
          {life === "day" && (
            <TextField
              label="Last day"
              type="date"
              required
              min={dateInput(new Date())}
              value={lastDay}
              onChange={(event) => setLastDay(event.target.value)}
              className="min-w-40 flex-1"
            />
          )}
        </div>
      </Form>
    </Dialog>
  );
}

/** At the end of a day, so that a repeat asks for the same. */
function expiryOf(life: string, lastDay: string): string | null {
  if (!life) return null;
  return lastSecondOf(life === "day" ? lastDay : dateInput(inDays(Number(life))));
}

function Right({ scope }: { scope: Scope }) {
  return (
    <>
      {SCOPES[scope].label}
      <span className="block text-xs text-ink-2">{SCOPES[scope].may}</span>
    </>
  );
}
