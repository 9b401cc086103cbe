import { Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Button, IconButton } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { TextArea, TextField } from "../ui/field";
import { fieldProblem, Refused } from "../ui/states";
import { ForkBranchDocument } from "./operations";
import { type ForkWish, useSession } from "./session-context";

const MOST = 10;

interface Option {
  key: string;
  label: string;
  description: string;
  likelihood: number | null;
}

/** Two to ten hypotheses, from a suggestion or by hand; what was suggested can be changed before. */
export function ForkDialog({ wish, onClose }: { wish: ForkWish; onClose: () => void }) {
  const { session, branches } = useSession();
  const [reason, setReason] = useState(wish.reason ?? "");
  const [options, setOptions] = useState<Option[]>(() =>
    (wish.options ?? [NOTHING, NOTHING]).map((option) => ({ ...option, key: newKey() })),
  );
  const fork = useAction(ForkBranchDocument);
  const [idempotencyKey] = useState(newKey);
  const label = branches.get(wish.branchId)?.label;

  const change = (key: string, changed: Partial<Option>): void =>
    setOptions(options.map((option) => (option.key === key ? { ...option, ...changed } : option)));

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const forked = await fork.run({
      input: {
        idempotencyKey,
        sessionId: session.id,
        parentBranchId: wish.branchId,
        afterMessageId: wish.afterMessageId ?? null,
        reason,
        options: options.map(({ key: _, ...option }) => option),
      },
    });
    if (forked) onClose();
  }

  return (
    <Dialog title={`Fork ${label ?? ""}`} isOpen onClose={onClose} width="max-w-2xl">
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
        <TextField
          label="Why several causes are possible"
          value={reason}
          autoFocus
          maxLength={2000}
          onChange={(event) => setReason(event.target.value)}
          problem={fieldProblem(fork.refusal, "reason")}
        />
        <ol className="flex flex-col gap-3">
          {options.map(({ key, ...option }, place) => (
            <li key={key} className="flex items-start gap-2 border-l-2 pl-3">
              <div className="grid flex-1 gap-2 sm:grid-cols-[2fr_3fr]">
                <TextField
                  label={`Hypothesis ${place + 1}`}
                  value={option.label}
                  maxLength={200}
                  onChange={(event) => change(key, { label: event.target.value })}
                  problem={fieldProblem(fork.refusal, `options.${place}.label`)}
                />
                <TextArea
                  label="What it supposes, and how it would show"
                  rows={2}
                  value={option.description}
                  maxLength={500}
                  onChange={(event) => change(key, { description: event.target.value })}
                  problem={fieldProblem(fork.refusal, `options.${place}.description`)}
                />
              </div>
              <IconButton
                label={`Leave out hypothesis ${place + 1}`}
                className="mt-6"
                disabled={options.length <= 2}
                onClick={() => setOptions(options.filter((each) => each.key !== key))}
              >
                <X aria-hidden className="size-4" />
              </IconButton>
            </li>
          ))}
        </ol>
        {options.length < MOST && (
          <Button
            look="quiet"
            className="self-start"
            onClick={() => setOptions([...options, { ...NOTHING, key: newKey() }])}
          >
            <Plus aria-hidden className="size-4" />
            Another hypothesis
          </Button>
        )}
        <Refused refusal={fork.refusal} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={fork.isBusy}>
            {fork.isBusy ? "Forking…" : `Fork into ${options.length}`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

const NOTHING = { label: "", description: "", likelihood: null };
