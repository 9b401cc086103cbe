import { Check, Copy } from "lucide-react";
import { useId, useRef, useState } from "react";
import { Button } from "../ui/button";

const SHOWN_MS = 2_000;

/** Something to take along, and the button that does. */
export function CopyField({ label, value }: { label: string; value: string }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isCopied, setIsCopied] = useState(false);

  async function copy(): Promise<void> {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // There is no clipboard without TLS; the selection can be copied all the same.
      if (!document.execCommand("copy")) return;
    }
    setIsCopied(true);
    window.setTimeout(() => setIsCopied(false), SHOWN_MS);
  }

  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-xs font-medium text-ink-2">
        {label}
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          ref={input}
          readOnly
          value={value}
          onFocus={(event) => event.currentTarget.select()}
          className="min-h-8 w-full min-w-0 rounded border border-edge bg-ground px-2.5 font-mono text-xs"
        />
        <Button
          onClick={() => void copy()}
          aria-label={`${isCopied ? "Copied" : "Copy"}: ${label}`}
        >
          {isCopied ? (
            <Check aria-hidden className="size-4 text-solved" />
          ) : (
            <Copy aria-hidden className="size-4" />
          )}
          {isCopied ? "Copied" : "Copy"}
        </Button>
      </div>
      <p role="status" className="sr-only">
        {isCopied && `${label} copied`}
      </p>
    </div>
  );
}
