import { useRef } from "react";
import { useShortcuts } from "../ui/shortcuts";
import { focusComposer } from "./drafts";
import type { BranchRowFragment } from "./operations";
import { jumpTo, siblingOf, treeRows } from "./tree";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const OPTIONS = [..."123456789"];
const LETTER_WITHIN_MS = 2_000;
const NOTHING_FOLDED: ReadonlySet<string> = new Set();

/** The keys of a session's page: `[` and `]` go to the branch beside, `g` and a letter to the next one whose name
 * begins with it, a number works on an option of the last fork, and what the page offers has its letter. */
export function useSessionKeys(
  shown: BranchRowFragment,
  branches: BranchRowFragment[],
  show: (branchId: string) => void,
): void {
  const awaitsLetter = useRef(0);
  const deeds: Record<string, () => void> = {
    f: () => press('[data-shortcut="f"]'),
    x: () => press('[data-shortcut="x"]'),
    s: () => press('[data-shortcut="s"]'),
    m: focusComposer,
    g: () => {
      awaitsLetter.current = Date.now() + LETTER_WITHIN_MS;
    },
  };
  const onLetter = (letter: string) => (event: KeyboardEvent) => {
    const jumps = awaitsLetter.current > Date.now();
    awaitsLetter.current = 0;
    const deed = deeds[letter];
    if (!jumps && !deed) return;
    // What opens a field must not be typed into it.
    event.preventDefault();
    if (!jumps) return deed?.();
    const inSight = branches.filter(({ archivedAt }) => archivedAt === null);
    const found = jumpTo(letter, treeRows(inSight, NOTHING_FOLDED), shown.id);
    if (found) show(found);
  };
  const toSibling = (step: 1 | -1) => () => show(siblingOf(shown, branches, step).id);
  useShortcuts({
    "[": toSibling(-1),
    "]": toSibling(1),
    ...Object.fromEntries(LETTERS.map((letter) => [letter, onLetter(letter)])),
    ...Object.fromEntries(
      OPTIONS.map((option) => [option, () => press(`[data-fork-option="${option}"]`)]),
    ),
  });
}

/** Presses the last button of that kind on the page, if there is one: a key does what the page offers. */
function press(selector: string): void {
  [...document.querySelectorAll<HTMLButtonElement>(selector)].at(-1)?.click();
}
