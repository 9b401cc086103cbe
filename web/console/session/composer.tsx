import {
  type ClipboardEvent,
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { useSocket } from "../shell/viewer";
import { Button } from "../ui/button";
import { Refused } from "../ui/states";
import { AttachButton } from "../uploads/attach-button";
import { useFileDrop } from "../uploads/file-drop";
import { UploadChips } from "../uploads/upload-chips";
import { useUploads } from "../uploads/use-uploads";
import { COMPOSER_ID, useDraft } from "./drafts";
import { EndBranch } from "./end-branch";
import { type BranchRowFragment, SendMessageDocument } from "./operations";
import { useSession } from "./session-context";
import { SolvedBranch } from "./solved-branch";

const LONGEST = 8_000;
const COUNTED_FROM = 7_000;

/** Where one writes on a branch. What is typed is kept until the server has it. */
export function Composer({ branch }: { branch: BranchRowFragment }) {
  const { session, askFork } = useSession();
  const [text, setText] = useDraft(branch.id);
  const [ends, setEnds] = useState<"DEAD_END" | "SOLVED" | null>(null);
  const socket = useSocket();
  const send = useAction(SendMessageDocument);
  const uploads = useUploads(branch.id);
  const { isOver, target } = useFileDrop(uploads.add);
  const attempt = useRef({ text: "", key: "" });
  // What was refused for want of a line is no news once there is one, or once the message has come after all.
  const line = useSyncExternalStore(socket.listen, socket.line);
  const { clear } = send;
  useEffect(() => {
    if (line === "live" || text === "") clear();
  }, [line, text, clear]);
  const isTooLong = text.length > LONGEST;
  const isEmpty = text.trim() === "";

  async function submit(event?: FormEvent): Promise<void> {
    event?.preventDefault();
    if (isEmpty || isTooLong || uploads.isBusy) return;
    // The same text again is the same message, whose answer may have been lost.
    if (attempt.current.text !== text) attempt.current = { text, key: newKey() };
    const input = {
      idempotencyKey: attempt.current.key,
      branchId: branch.id,
      body: text.trim(),
      uploadIds: uploads.ids,
    };
    if (await send.run({ input })) {
      setText("");
      uploads.clear();
      attempt.current = { text: "", key: "" };
    }
  }

  /** What is too long to be said goes along as a file. */
  function onPaste(event: ClipboardEvent): void {
    const pasted = event.clipboardData.getData("text/plain");
    if (pasted.length <= LONGEST) return;
    event.preventDefault();
    uploads.add([new File([pasted], "pasted.txt", { type: "text/plain" })]);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
    if (event.key === "Escape") (event.target as HTMLElement).blur();
  }

  if (branch.status === "SOLVED") return <SolvedBranch branch={branch} />;
  if (ends) return <EndBranch branch={branch} status={ends} onDone={() => setEnds(null)} />;
  return (
    <form
      aria-label="Message"
      onSubmit={(event) => void submit(event)}
      {...target}
      className={`flex flex-col gap-1.5 rounded border bg-panel px-3 pt-2 pb-2 focus-within:border-accent ${isOver ? "border-accent bg-accent-soft" : "border-edge/70"}`}
    >
      <p className="truncate text-xs text-ink-3">
        On: <span dir="auto">{branch.label}</span>
        {session.openHandoff && " · it waits in the queue; writing here takes it back"}
      </p>
      <textarea
        id={COMPOSER_ID}
        aria-label={`Message on ${branch.label}`}
        dir="auto"
        rows={2}
        value={text}
        placeholder="What did you see?"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        className="field-sizing-content max-h-60 min-h-11 resize-none bg-transparent outline-none"
      />
      <UploadChips uploads={uploads} />
      <Refused refusal={send.refusal} />
      <footer className="flex flex-wrap items-center gap-1">
        <AttachButton look="quiet" onFiles={uploads.add} />
        <Tool label="Fork" keyName="F" onPress={() => askFork({ branchId: branch.id })} />
        {branch.parent && <Tool label="Dead end" keyName="X" onPress={() => setEnds("DEAD_END")} />}
        {branch.status !== "UNTRIED" && (
          <Tool label="Solved" keyName="S" onPress={() => setEnds("SOLVED")} />
        )}
        {text.length > COUNTED_FROM && (
          <span className={`text-xs tabular-nums ${isTooLong ? "text-dead-end" : "text-ink-3"}`}>
            {text.length.toLocaleString()} of {LONGEST.toLocaleString()} characters
          </span>
        )}
        <Button
          type="submit"
          look={isEmpty ? "quiet" : "primary"}
          className="ml-auto"
          disabled={send.isBusy || isEmpty || isTooLong || uploads.isBusy}
        >
          {send.isBusy ? "Sending…" : "Send"}
          <kbd className="text-xs max-md:hidden">
            {/Mac|iPhone/.test(navigator.platform) ? "⌘↵" : "Ctrl ↵"}
          </kbd>
        </Button>
      </footer>
    </form>
  );
}

function Tool({
  label,
  keyName,
  onPress,
}: {
  label: string;
  keyName: string;
  onPress: () => void;
}) {
  return (
    <button
      type="button"
      data-shortcut={keyName.toLowerCase()}
      aria-keyshortcuts={keyName}
      onClick={onPress}
      className="inline-flex min-h-8 items-center gap-1.5 rounded px-2 text-xs text-ink-2 hover:bg-hover hover:text-ink"
    >
      {label}
      <kbd className="rounded border px-1 text-ink-3 max-md:hidden">{keyName}</kbd>
    </button>
  );
}
