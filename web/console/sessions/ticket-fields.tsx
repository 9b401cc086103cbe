import { useEffect, useEffectEvent } from "react";
import { useQuery } from "urql";
import { inWords, type Refusal } from "../graph/use-action";
import { SelectField, TextField } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { TicketSystemsDocument, type TicketSystemsQuery } from "./operations";
import type { Draft } from "./start-draft";

type System = TicketSystemsQuery["integrations"][number];

const TICKET_SYSTEMS: System["provider"][] = ["CONNECTWISE", "HALOPSA", "AUTOTASK"];

/** Which ticket, and where it is: there its title and text are read. */
export function TicketFields({
  draft,
  onChange,
  refusal,
}: {
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
  refusal: Refusal | null;
}) {
  const [{ data, error }] = useQuery({ query: TicketSystemsDocument });
  const systems = data?.integrations.filter(
    ({ provider, isEnabled }) => isEnabled && TICKET_SYSTEMS.includes(provider),
  );
  const first = systems?.[0]?.id ?? "";
  const isChosen =
    draft.integrationId === "" || systems?.some(({ id }) => id === draft.integrationId);
  const choose = useEffectEvent(() => onChange({ integrationId: first }));
  useEffect(() => {
    if (data && !isChosen) choose();
  }, [data, isChosen]);

  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <TextField
        label="Ticket number"
        value={draft.ticket}
        onChange={(event) => onChange({ ticket: event.target.value })}
        problem={fieldProblem(refusal, "psaTicketId")}
        autoComplete="off"
      />
      <SelectField
        label="Ticket system"
        value={draft.integrationId ?? ""}
        onChange={(event) => onChange({ integrationId: event.target.value })}
        problem={error ? inWords(error) : fieldProblem(refusal, "integrationId")}
        hint={
          systems?.length === 0
            ? "None is connected, so the number is only noted. An admin connects one in the settings."
            : "The ticket's title and text are read there."
        }
      >
        <option value="">None: only note the number</option>
        {systems?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </SelectField>
    </div>
  );
}
