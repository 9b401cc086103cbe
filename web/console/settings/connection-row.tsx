import { CircleCheck, Ellipsis } from "lucide-react";
import { useState } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { useNow } from "../ui/clock";
import { Menu, MenuItem } from "../ui/menu";
import { Refused } from "../ui/states";
import { Ago } from "../ui/time";
import {
  type ConnectionFragment,
  SaveConnectionDocument,
  TestConnectionDocument,
} from "./operations";
import { PROVIDERS } from "./providers";

export function ConnectionRow({
  connection,
  reload,
  open,
}: {
  connection: ConnectionFragment;
  reload: () => void;
  /** Not there for those who may only look. */
  open: ((deed: "edit" | "remove") => void) | undefined;
}) {
  const test = useAction(TestConnectionDocument);
  const save = useAction(SaveConnectionDocument);
  const [hasAnswered, setHasAnswered] = useState(false);
  const { id, name, provider, baseUrl, isEnabled, version } = connection;

  async function runTest(): Promise<void> {
    setHasAnswered(false);
    save.clear();
    setHasAnswered((await test.run({ input: { integrationId: id } })) !== null);
  }

  async function toggle(): Promise<void> {
    setHasAnswered(false);
    test.clear();
    const input = { integrationId: id, isEnabled: !isEnabled, expectedVersion: version };
    // It may have been changed meanwhile: what is saved now then shows beside the refusal.
    if (!(await save.run({ input }))) reload();
  }

  return (
    <li className="flex flex-wrap items-start gap-x-6 gap-y-2 px-4 py-3">
      <div className="min-w-0 basis-56 grow">
        <span className={`font-medium ${isEnabled ? "" : "text-ink-2"}`} dir="auto">
          {name}
        </span>
        <span className="ml-2 text-ink-2">{PROVIDERS[provider].label}</span>
        <p className="font-mono text-xs text-ink-2">{baseUrl}</p>
      </div>
      <div className="min-w-0 basis-64 grow">
        <State connection={connection} />
      </div>
      {open && (
        <div className="ml-auto flex gap-1">
          <Button disabled={test.isBusy} onClick={() => void runTest()} aria-label={`Test ${name}`}>
            {test.isBusy ? "Testing…" : "Test"}
          </Button>
          <Menu
            label={`Change ${name}`}
            button={<Ellipsis aria-hidden className="size-4" />}
            className="size-8"
          >
            <MenuItem onAction={() => open("edit")}>Edit</MenuItem>
            <MenuItem onAction={() => void toggle()}>
              {isEnabled ? "Switch off" : "Switch on"}
            </MenuItem>
            <MenuItem onAction={() => open("remove")}>Remove</MenuItem>
          </Menu>
        </div>
      )}
      <div role="status" className={hasAnswered ? "basis-full" : "sr-only"}>
        {hasAnswered && (
          <p className="flex items-center gap-2 text-solved">
            <CircleCheck aria-hidden className="size-4" />
            The test succeeded: {PROVIDERS[provider].label} answered.
          </p>
        )}
      </div>
      <Refused refusal={test.refusal ?? save.refusal} className="basis-full" />
    </li>
  );
}

function State({ connection }: { connection: ConnectionFragment }) {
  const { isEnabled, lastSuccessAt, lastFailure, pausedUntil } = connection;
  const isPaused = useNow(1_000) < Date.parse(pausedUntil ?? "");
  return (
    <>
      <p>
        {isEnabled ? "On" : <span className="text-ink-3">Off</span>}
        <span className="text-ink-2">
          {lastSuccessAt ? (
            <>
              , last success <Ago at={lastSuccessAt} />
            </>
          ) : (
            ", nothing has arrived yet"
          )}
        </span>
      </p>
      {lastFailure && <p className="text-xs text-dead-end">Last try failed: {lastFailure}</p>}
      {isPaused && pausedUntil && (
        <p className="text-xs text-revived">
          Paused after failures, tried again <Ago at={pausedUntil} />
        </p>
      )}
    </>
  );
}
