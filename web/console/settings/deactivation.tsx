import { useState } from "react";
import { Link } from "wouter";
import { type Success, useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { CheckField } from "../ui/field";
import { Refused } from "../ui/states";
import {
  DeactivateMemberDocument,
  type DeactivateMemberMutation,
  type MemberFragment,
} from "./operations";
import { SCOPES } from "./words";

/** Says what it does before, and what of theirs still works after. */
export function Deactivation({ member, onClose }: { member: MemberFragment; onClose: () => void }) {
  const deactivate = useAction(DeactivateMemberDocument);
  const [revokeApiKeys, setRevokeApiKeys] = useState(false);
  const [done, setDone] = useState<Success<DeactivateMemberMutation> | null>(null);
  const name = member.displayName;

  async function run(): Promise<void> {
    setDone(await deactivate.run({ input: { userId: member.id, revokeApiKeys } }));
  }

  if (done) {
    return (
      <Dialog title={`${name} is deactivated`} isOpen onClose={onClose}>
        <KeysLeft keys={done.apiKeys} />
        <DialogActions>
          {done.apiKeys.length > 0 && (
            <Link href="/settings/api-keys" className="self-center text-accent underline">
              To the API keys
            </Link>
          )}
          <Button look="primary" onClick={onClose} autoFocus>
            Done
          </Button>
        </DialogActions>
      </Dialog>
    );
  }
  return (
    <Dialog title={`Deactivate ${name}`} isOpen onClose={onClose}>
      <p>
        {name} may come in no more: all their sign-ins end at once. What they did keeps their name,
        and what is assigned to them stays so until somebody reassigns it. You can reactivate them,
        with role and password as before.
      </p>
      <CheckField
        label={
          <>
            Also revoke the API keys that they made
            <span className="block text-xs text-ink-2">
              They are the account's, and what you have integrated may rest on them, but {name} has
              seen their secrets. This cannot be undone.
            </span>
          </>
        }
        checked={revokeApiKeys}
        onChange={(event) => setRevokeApiKeys(event.target.checked)}
      />
      <Refused refusal={deactivate.refusal} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="danger" disabled={deactivate.isBusy} onClick={() => void run()}>
          {deactivate.isBusy ? "Deactivating…" : "Deactivate"}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function KeysLeft({ keys }: { keys: Success<DeactivateMemberMutation>["apiKeys"] }) {
  if (keys.length === 0) return <p>No API key that they made works any more.</p>;
  return (
    <>
      <p>These API keys that they made still work:</p>
      <ul className="flex flex-col gap-1">
        {keys.map(({ id, name, prefix, scopes }) => (
          <li key={id}>
            <span className="font-medium">{name}</span>{" "}
            <span className="text-ink-2">
              fp_{prefix}, {scopes.map((scope) => SCOPES[scope].label.toLowerCase()).join(", ")}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
