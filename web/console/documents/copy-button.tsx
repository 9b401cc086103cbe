import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { copyText } from "./clipboard";
import { PushDocumentDocument, type WholeDocumentFragment } from "./operations";

const SAID_MS = 2_000;

/** Takes the text, and has it noted who took it, where they may note something. */
export function CopyButton({
  document: { id, content, version },
  isNoted,
}: {
  document: WholeDocumentFragment;
  isNoted: boolean;
}) {
  const push = useAction(PushDocumentDocument);
  const [isCopied, setIsCopied] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!isCopied) return;
    const timer = window.setTimeout(() => setIsCopied(false), SAID_MS);
    return () => window.clearTimeout(timer);
  }, [isCopied]);

  async function copy(): Promise<void> {
    const failed = await copyText(content ?? "");
    setProblem(failed);
    setIsCopied(!failed);
    if (failed || !isNoted) return;
    await push.run({
      input: {
        idempotencyKey: newKey(),
        outputId: id,
        destination: "CLIPBOARD",
        expectedVersion: version,
      },
    });
  }

  return (
    <>
      <Button look="quiet" onClick={() => void copy()}>
        {isCopied ? (
          <Check aria-hidden className="size-4 text-solved" />
        ) : (
          <Copy aria-hidden className="size-4" />
        )}
        <span aria-live="polite">{isCopied ? "Copied" : "Copy"}</span>
      </Button>
      <span
        role="alert"
        className="order-last basis-full text-end text-xs text-dead-end empty:hidden"
      >
        {problem ??
          (push.refusal && `It is copied, but that is not noted: ${push.refusal.message}`)}
      </span>
    </>
  );
}
