import { Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useQuery } from "urql";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Button, IconButton } from "../ui/button";
import { Dialog, DialogActions } from "../ui/dialog";
import { TextArea, TextField } from "../ui/field";
import { fieldProblem, Refused } from "../ui/states";
import { submitByKey } from "../ui/submit-key";
import { useFirstProblem } from "../ui/use-first-problem";
import { useKept } from "../ui/use-kept";
import { BranchLimitDocument, ForkBranchDocument } from "./operations";
import { type ForkWish, useSession } from "./session-context";
import { hypothesisCount, lastPosition } from "./tree";

const MOST = 10;

interface Option {
  key: string;
  label: string;
  description: string;
  likelihood: number | null;
}

/** Two to ten hypotheses, from a suggestion or by hand; what was suggested can be changed before. */
export function ForkDialog({ wish, onClose }: { wish: ForkWish; onClose: () => void }) {
  const { session, branches, forkPoints } = useSession();
  const { filled, fill, forget } = useKept(keptAs(wish), () => ({
    reason: wish.reason ?? "",
    options: (wish.options ?? [NOTHING, NOTHING]).map(withKey),
  }));
  const { reason, options } = filled;
  const fork = useAction(ForkBranchDocument);
  const form = useFirstProblem(fork.refusal);
  const [idempotencyKey] = useState(newKey);
  const left = useHypothesesLeft();
  const branch = branches.get(wish.branchId);
  const isFromEarlier =
    branch && wish.after && wish.after.position < lastPosition(branch, forkPoints);

  const change = (key: string, changed: Partial<Option>): void =>
    fill({
      options: options.map((option) => (option.key === key ? { ...option, ...changed } : option)),
    });

  function forgetAndClose(): void {
    forget();
    onClose();
  }

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const forked = await fork.run({
      input: {
        idempotencyKey,
        sessionId: session.id,
        parentBranchId: wish.branchId,
        afterMessageId: wish.after?.id ?? null,
        reason,
        options: options.map(({ key: _, ...option }) => option),
      },
    });
    if (forked) forgetAndClose();
  }

  return (
    <Dialog
      title={`Fork ${branch?.label ?? ""}${isFromEarlier ? ` after message ${wish.after?.position}` : ""}`}
      isOpen
      onClose={onClose}
      width="max-w-2xl"
    >
      <form
        ref={form}
        onSubmit={(event) => void submit(event)}
        onKeyDown={submitByKey}
        className="flex flex-col gap-4"
      >
        {left !== null && <Left left={left} asked={options.length} />}
        <TextField
          label="Why several causes are possible"
          value={reason}
          autoFocus
          maxLength={2000}
          onChange={(event) => fill({ reason: event.target.value })}
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
                onClick={() => fill({ options: options.filter((each) => each.key !== key) })}
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
            onClick={() => fill({ options: [...options, withKey(NOTHING)] })}
          >
            <Plus aria-hidden className="size-4" />
            Another hypothesis
          </Button>
        )}
        <Refused
          refusal={fork.refusal}
          fields={[
            "reason",
            ...options.flatMap((_, place) => [
              `options.${place}.label`,
              `options.${place}.description`,
            ]),
          ]}
        />
        <DialogActions>
          <Button onClick={forgetAndClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            aria-disabled={fork.isBusy}
            aria-keyshortcuts="Control+Enter Meta+Enter"
          >
            {fork.isBusy ? "Forking…" : `Fork into ${options.length}`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** How many more hypotheses the plan allows here, before one types in vain. */
function Left({ left, asked }: { left: number; asked: number }) {
  return (
    <p className={asked > left ? "text-revived" : "text-ink-2"}>
      {left === 0
        ? "The plan allows no more hypotheses in this session."
        : `The plan allows ${left} more ${left === 1 ? "hypothesis" : "hypotheses"} in this session.`}
      {left < 2 && " A fork takes two: archive what is ruled out to make room."}
    </p>
  );
}

/** Null: any number, or not known. */
function useHypothesesLeft(): number | null {
  const { branches } = useSession();
  const [{ data }] = useQuery({
    query: BranchLimitDocument,
    requestPolicy: "cache-and-network",
  });
  const limit = data?.viewer.account.branchLimit ?? null;
  return limit === null ? null : Math.max(0, limit - hypothesisCount(branches));
}

/** What was suggested with a message and what one thinks of oneself there are two things. */
function keptAs({ branchId, after, options }: ForkWish): string {
  return `fork.${branchId}.${after?.id ?? ""}.${options ? "suggested" : "own"}`;
}

function withKey(option: Omit<Option, "key">): Option {
  return { ...option, key: newKey() };
}

const NOTHING = { label: "", description: "", likelihood: null };
