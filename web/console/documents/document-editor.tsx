import { type KeyboardEvent, useEffect, useRef } from "react";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { TextArea } from "../ui/field";
import { fieldProblem, Refused } from "../ui/states";
import { DiffLines } from "./diff-lines";
import type { Draft } from "./draft";
import { writerOf } from "./history";
import { lineDiff } from "./line-diff";
import { EditDocumentDocument, type WholeDocumentFragment } from "./operations";

/** The document as somebody is writing it. Where another text was saved meanwhile both are shown, and the
 * person says which one stays. */
export function DocumentEditor({
  document,
  draft,
  onChange,
  onSaved,
  onDiscard,
  onStale,
}: {
  document: WholeDocumentFragment;
  draft: Draft;
  onChange: (draft: Draft) => void;
  onSaved: () => void;
  onDiscard: () => void;
  /** The server has a newer one than is shown here. */
  onStale: () => void;
}) {
  const edit = useAction(EditDocumentDocument);
  const area = useRef<HTMLDivElement>(null);
  const saved = document.content ?? "";
  const isConflict = saved !== draft.base && saved !== draft.text;
  const isBlank = draft.text.trim() === "";
  const isStale = edit.refusal?.kind === "StaleVersionError";
  useEffect(() => {
    if (isStale) onStale();
  }, [isStale, onStale]);
  useEffect(() => area.current?.querySelector("textarea")?.focus({ preventScroll: true }), []);

  /** Over the text that the person has seen: the one it was begun from, also where only the status has
   * changed since, or the one that it is compared with. */
  async function save(): Promise<void> {
    const input = { outputId: document.id, content: draft.text, expectedVersion: document.version };
    if (await edit.run({ input })) onSaved();
  }

  function saveByKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    if (!isConflict && !isBlank) void save();
  }

  return (
    <div ref={area} className="flex min-w-0 flex-col gap-3">
      <TextArea
        label="Text, in Markdown"
        dir="auto"
        className="[&_textarea]:field-sizing-content [&_textarea]:max-h-[70vh] [&_textarea]:min-h-50"
        value={draft.text}
        onChange={(event) => onChange({ ...draft, text: event.target.value })}
        onKeyDown={saveByKey}
        problem={fieldProblem(edit.refusal, "content")}
        aria-keyshortcuts="Meta+Enter Control+Enter"
      />
      <Refused refusal={edit.refusal} />
      {isConflict && (
        <section
          aria-label="Saved meanwhile"
          className="flex flex-col gap-2 border-l-2 border-revived pl-3"
        >
          <p>
            {document.revisions[0] ? writerOf(document.revisions[0]) : "Somebody"} has saved another
            text since you began. This is what yours would change in it:
          </p>
          <DiffLines lines={lineDiff(saved, draft.text)} label="From the saved text to yours" />
        </section>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" disabled={edit.isBusy || isBlank} onClick={() => void save()}>
          {edit.isBusy ? "Saving…" : isConflict ? "Keep mine" : "Save"}
          {!isConflict && <kbd className="font-sans text-xs">{SAVE_KEYS}</kbd>}
        </Button>
        <Button look="quiet" onClick={onDiscard}>
          {isConflict ? "Take theirs" : "Discard"}
        </Button>
        <p className="text-xs text-ink-3">
          {isConflict
            ? "The other text stays as a revision."
            : document.status === "DRAFT"
              ? "Kept in this browser until you save."
              : "Kept in this browser until you save; saving makes it a draft again."}
        </p>
      </div>
    </div>
  );
}

const SAVE_KEYS = /mac|iphone|ipad/i.test(navigator.platform) ? "⌘↵" : "Ctrl ↵";
