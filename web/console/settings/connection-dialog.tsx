import { useRef, useState } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { SelectField, TextField } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { CopyField } from "./copy-field";
import { EntryField } from "./entry-field";
import { Form } from "./form";
import {
  type ConnectionFragment,
  type IntegrationProvider,
  SaveConnectionDocument,
} from "./operations";
import { connectionOf, newWebhookSecret, PROVIDERS } from "./providers";
import { draftInput, useDraft } from "./use-draft";

/** Adds a connection, or changes one. What was entered for it before is not shown, and stays where nothing
 * is entered. */
export function ConnectionDialog({
  connection,
  reload,
  onClose,
}: {
  /** Null: a new one. */
  connection: ConnectionFragment | null;
  reload: () => void;
  onClose: () => void;
}) {
  const key = useRef(newKey());
  const save = useAction(SaveConnectionDocument);
  const draft = useDraft({ name: connection?.name ?? "", baseUrl: connection?.baseUrl ?? "" });
  const [chosen, setChosen] = useState<IntegrationProvider>("CONNECTWISE");
  const provider = connection?.provider ?? chosen;
  const known = PROVIDERS[provider];
  const [entered, setEntered] = useState<Record<string, string>>({});
  const pathOf = (entry: string) => `connection.${known.connection}.${entry}`;

  function choose(next: IntegrationProvider): void {
    setChosen(next);
    setEntered(next === "WEBHOOK" ? { secret: newWebhookSecret() } : {});
  }

  function enter(name: string, text: string | undefined): void {
    const { [name]: _, ...others } = entered;
    setEntered(text === undefined ? others : { ...others, [name]: text });
  }

  async function submit(): Promise<void> {
    const what = connection
      ? { integrationId: connection.id, expectedVersion: connection.version }
      : { idempotencyKey: key.current };
    const saved = await save.run({
      input: { ...what, ...draft.changes, connection: connectionOf(provider, entered) },
    });
    if (!saved) return;
    if (!connection) reload();
    onClose();
  }

  return (
    <Dialog
      title={connection ? `Edit ${connection.name}` : "Add a connection"}
      isOpen
      isDismissable={false}
      onClose={onClose}
    >
      <Form
        action={save}
        inputs={["name", "baseUrl", ...known.entries.map(({ name }) => pathOf(name))]}
        submit={connection ? "Save" : "Add"}
        canSubmit={Object.keys({ ...draft.changes, ...entered }).length > 0}
        onSubmit={() => void submit()}
        onCancel={onClose}
        onStale={reload}
      >
        {!connection && (
          <SelectField
            label="System"
            hint={`${known.takes}.`}
            value={provider}
            onChange={(event) => choose(event.target.value as IntegrationProvider)}
          >
            {Object.entries(PROVIDERS).map(([value, { label }]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </SelectField>
        )}
        <TextField
          label="Name"
          hint="What people choose it by."
          required
          autoFocus={connection !== null}
          {...draftInput(draft, save.refusal, "name")}
        />
        <TextField
          label="Address"
          hint={[
            known.addressHint,
            connection && "With another host the secrets must be entered again.",
          ]
            .filter(Boolean)
            .join(" ")}
          placeholder={known.address}
          inputMode="url"
          required
          {...draftInput(draft, save.refusal, "baseUrl")}
        />
        {connection && known.entries.length > 0 && (
          <p className="text-xs text-ink-2">
            What was entered below before is not shown, and stays where you enter nothing.
          </p>
        )}
        {known.entries.map((entry) => (
          <EntryField
            key={entry.name}
            entry={entry}
            isNew={!connection}
            text={entered[entry.name]}
            enter={(text) => enter(entry.name, text)}
            problem={fieldProblem(save.refusal, pathOf(entry.name))}
          />
        ))}
        {known.connection === "webhook" && (
          <WebhookSecret
            secret={entered.secret}
            isNew={!connection}
            make={() => enter("secret", newWebhookSecret())}
          />
        )}
      </Form>
    </Dialog>
  );
}

/** Made here, and taken to the receiver before it is saved. */
function WebhookSecret({
  secret,
  isNew,
  make,
}: {
  secret: string | undefined;
  isNew: boolean;
  make: () => void;
}) {
  return (
    <div className="flex flex-col gap-2">
      <p className="text-ink-2">
        Each call has the header webhook-signature: the HMAC-SHA256 of its webhook-id, its
        webhook-timestamp and its body under a secret that only you and the receiver have, by the
        Standard Webhooks specification.
      </p>
      {secret && (
        <>
          <CopyField label="Secret" value={secret} />
          <p className="text-xs text-ink-2">
            Copy it to the receiver now: once it is saved, it is not shown again.
            {!isNew && " The secret before signs along for a day."}
          </p>
        </>
      )}
      <Button className="self-start" onClick={make}>
        Make a new secret
      </Button>
    </div>
  );
}
