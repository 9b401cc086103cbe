import { Plus } from "lucide-react";
import { useState } from "react";
import { useAction } from "../graph/use-action";
import { useFresh } from "../graph/use-fresh";
import { Button } from "../ui/button";
import { useNow } from "../ui/clock";
import { Dialog, DialogActions } from "../ui/dialog";
import { Empty, Refused } from "../ui/states";
import { Ago, day, exactly } from "../ui/time";
import { CopyField } from "./copy-field";
import { KeyDialog } from "./key-dialog";
import { ApiKeysDocument, type KeyRowFragment, RevokeApiKeyDocument } from "./operations";
import { Loaded, Panel, Section } from "./section";
import { Cell, Row, Table } from "./table";
import { SCOPES } from "./words";

interface Created {
  name: string;
  secret: string;
}

export default function ApiKeys() {
  const found = useFresh(ApiKeysDocument, {});
  const [isAdding, setIsAdding] = useState(false);
  const [revoked, setRevoked] = useState<KeyRowFragment | null>(null);
  const [created, setCreated] = useState<Created | null>(null);
  const now = useNow(60_000);

  return (
    <Section
      title="API keys"
      about="For programs: a ticket bridge, a report. A key acts for itself and not for a person, and works until it expires or is revoked, also when whoever made it has left."
      action={
        <Button look="primary" onClick={() => setIsAdding(true)}>
          <Plus aria-hidden className="size-4" />
          Make a key
        </Button>
      }
    >
      {created && <NewSecret created={created} onDone={() => setCreated(null)} />}
      <Panel>
        <Loaded what="The API keys" found={found}>
          {({ apiKeys }) =>
            apiKeys.length === 0 ? (
              <Empty action={<Button onClick={() => setIsAdding(true)}>Make a key</Button>}>
                No program has a key yet.
              </Empty>
            ) : (
              <Table
                label="API keys"
                heads={["Name", "Scopes", "Made by", "Last used", "Ends", ""]}
              >
                {inOrder(apiKeys, now).map((key) => (
                  <KeyRow key={key.id} apiKey={key} now={now} revoke={() => setRevoked(key)} />
                ))}
              </Table>
            )
          }
        </Loaded>
      </Panel>
      {isAdding && (
        <KeyDialog
          onCreated={(name, secret) => {
            setCreated({ name, secret });
            setIsAdding(false);
            found.reload();
          }}
          onClose={() => setIsAdding(false)}
        />
      )}
      {revoked && <Revocation apiKey={revoked} onClose={() => setRevoked(null)} />}
    </Section>
  );
}

/** Those that work first, then by age as they come. */
function inOrder(keys: KeyRowFragment[], now: number): KeyRowFragment[] {
  return keys.toSorted((a, b) => Number(hasEnded(a, now)) - Number(hasEnded(b, now)));
}

function hasEnded({ revokedAt, expiresAt }: KeyRowFragment, now: number): boolean {
  return revokedAt !== null || (expiresAt !== null && Date.parse(expiresAt) <= now);
}

function NewSecret({ created, onDone }: { created: Created; onDone: () => void }) {
  return (
    <section
      aria-label={`The secret of ${created.name}`}
      className="flex flex-col gap-3 rounded border border-solved/50 bg-solved-soft p-4"
    >
      <p role="status">
        <span className="font-medium">{created.name}</span> is made. Copy its secret now: it is not
        shown again, not to admins either. Whoever has it may do what the key may.
      </p>
      <CopyField label="Secret" value={created.secret} />
      <Button className="self-end" onClick={onDone}>
        I have stored it
      </Button>
    </section>
  );
}

function KeyRow({
  apiKey,
  now,
  revoke,
}: {
  apiKey: KeyRowFragment;
  now: number;
  revoke: () => void;
}) {
  const { name, prefix, scopes, createdBy, createdAt, lastUsedAt, expiresAt, revokedAt } = apiKey;
  const isOver = hasEnded(apiKey, now);
  return (
    <Row>
      <Cell isFirst>
        <span className={isOver ? "text-ink-2 line-through" : "font-medium"} dir="auto">
          {name}
        </span>
        <p className="font-mono text-xs text-ink-2">fp_{prefix}_…</p>
      </Cell>
      <Cell label="May">{scopes.map((scope) => SCOPES[scope].label).join(", ")}</Cell>
      <Cell label="Made by">
        {createdBy.displayName}{" "}
        <Ago at={createdAt} className="block text-xs text-ink-2 max-md:inline" />
      </Cell>
      <Cell label="Last used">
        {lastUsedAt ? <Ago at={lastUsedAt} /> : <span className="text-ink-3">never</span>}
      </Cell>
      <Cell label="Ends">
        {revokedAt ? (
          <span className="text-ink-3">
            revoked <Ago at={revokedAt} />
          </span>
        ) : expiresAt ? (
          <span className={isOver ? "text-ink-3" : ""} title={exactly(expiresAt)}>
            {isOver ? `expired ${day(expiresAt)}` : day(expiresAt)}
          </span>
        ) : (
          <span className="text-ink-3">never</span>
        )}
      </Cell>
      <Cell isLast>
        {!isOver && (
          <Button look="quiet" aria-label={`Revoke ${name}`} onClick={revoke}>
            Revoke
          </Button>
        )}
      </Cell>
    </Row>
  );
}

function Revocation({ apiKey, onClose }: { apiKey: KeyRowFragment; onClose: () => void }) {
  const revoke = useAction(RevokeApiKeyDocument);

  async function run(): Promise<void> {
    if (await revoke.run({ input: { apiKeyId: apiKey.id } })) onClose();
  }

  return (
    <Dialog title={`Revoke ${apiKey.name}`} isOpen onClose={onClose}>
      <p>
        Whatever uses this key is refused from now on, and its open subscriptions end. This cannot
        be undone; a new key has another secret.
      </p>
      <Refused refusal={revoke.refusal} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="danger" disabled={revoke.isBusy} onClick={() => void run()}>
          {revoke.isBusy ? "Revoking…" : "Revoke for ever"}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
