import { useFresh } from "../graph/use-fresh";
import { SelectField, TextField } from "../ui/field";
import { ACTION_GROUPS, actionLabel } from "./audit-words";
import { dateInput, endOfDay, startOfDay } from "./days";
import { type AuditAction, AuditActorsDocument, type AuditFilter } from "./operations";

/** What is empty does not filter. */
export interface AuditChoice {
  /** An action, or the label of a group of them. */
  action: string;
  actorId: string;
  from: string;
  to: string;
}

export const EVERYTHING: AuditChoice = { action: "", actorId: "", from: "", to: "" };

export function filterOf({ action, actorId, from, to }: AuditChoice): AuditFilter {
  const group = ACTION_GROUPS.find(([label]) => label === action);
  return {
    action: group ? group[1] : action ? [action as AuditAction] : null,
    actorId: actorId || null,
    from: from ? startOfDay(from) : null,
    to: to ? endOfDay(to) : null,
  };
}

export function AuditFilters({
  choice,
  choose,
}: {
  choice: AuditChoice;
  choose: (choice: AuditChoice) => void;
}) {
  const { data } = useFresh(AuditActorsDocument, {});
  const input = (name: keyof AuditChoice) => ({
    value: choice[name],
    onChange: (event: { target: { value: string } }) =>
      choose({ ...choice, [name]: event.target.value }),
  });
  const today = dateInput(new Date());
  return (
    <fieldset className="grid grid-cols-2 gap-3 lg:grid-cols-[2fr_2fr_1fr_1fr]">
      <legend className="sr-only">Which entries</legend>
      <SelectField label="Action" className="max-sm:col-span-2" {...input("action")}>
        <option value="">Everything</option>
        {ACTION_GROUPS.map(([label, actions]) => (
          <optgroup key={label} label={label}>
            <option value={label}>{`${label}: all`}</option>
            {actions.map((action) => (
              <option key={action} value={action}>
                {actionLabel(action)}
              </option>
            ))}
          </optgroup>
        ))}
      </SelectField>
      <SelectField label="Who" className="max-sm:col-span-2" {...input("actorId")}>
        <option value="">Everybody</option>
        <optgroup label="People">
          {data?.members.map(({ id, displayName }) => (
            <option key={id} value={id}>
              {displayName}
            </option>
          ))}
        </optgroup>
        {data && data.apiKeys.length > 0 && (
          <optgroup label="API keys">
            {data.apiKeys.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </optgroup>
        )}
      </SelectField>
      <TextField label="From" type="date" max={choice.to || today} {...input("from")} />
      <TextField label="To" type="date" min={choice.from} max={today} {...input("to")} />
    </fieldset>
  );
}
