import { type ChangeEvent, useState } from "react";
import type { Refusal } from "../graph/use-action";
import { fieldProblem } from "../ui/states";

type Values = Record<string, string>;

/** What a person typed, and what was saved when they began to. */
type Typed<Saved extends Values> = Partial<Record<keyof Saved, { text: string; over: string }>>;

export interface Draft<Saved extends Values> {
  values: Saved;
  type: (name: keyof Saved, text: string) => void;
  /** What differs from what is saved. */
  changes: Partial<Saved>;
  /** What somebody else has saved since one typed something else. */
  meanwhile: (name: keyof Saved) => string | undefined;
}

/** Inputs over what is saved: where nothing was typed they show what is saved, also when that changes. */
export function useDraft<Saved extends Values>(saved: Saved): Draft<Saved> {
  const [typed, setTyped] = useState<Typed<Saved>>({});
  return {
    ...draftOf(saved, typed),
    type: (name, text) =>
      setTyped((before) => ({
        ...before,
        [name]: { text, over: before[name]?.over ?? saved[name] },
      })),
  };
}

export function draftOf<Saved extends Values>(
  saved: Saved,
  typed: Typed<Saved>,
): Omit<Draft<Saved>, "type"> {
  const changes: Partial<Saved> = {};
  for (const [name, entry] of Object.entries(typed) as [keyof Saved, { text: string }][]) {
    if (entry.text !== saved[name]) changes[name] = entry.text as Saved[keyof Saved];
  }
  return {
    values: { ...saved, ...changes },
    changes,
    meanwhile(name) {
      const entry = typed[name];
      if (!entry || !(name in changes) || entry.over === saved[name]) return undefined;
      return saved[name];
    },
  };
}

/** What an input over a draft is given; `said` puts a saved value into words. */
export function draftInput<Saved extends Values>(
  draft: Draft<Saved>,
  refusal: Refusal | null,
  name: keyof Saved & string,
  said: (saved: string) => string = String,
) {
  const meanwhile = draft.meanwhile(name);
  return {
    value: draft.values[name],
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLSelectElement>) =>
      draft.type(name, event.target.value),
    problem:
      fieldProblem(refusal, name) ??
      (meanwhile === undefined ? undefined : `Saved meanwhile: ${said(meanwhile)}`),
  };
}
