import { Paperclip } from "lucide-react";
import { useRef } from "react";
import { Button } from "../ui/button";

/** Chooses files from the machine. */
export function AttachButton({
  onFiles,
  look = "plain",
}: {
  onFiles: (files: Iterable<File>) => void;
  look?: "plain" | "quiet";
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <Button look={look} onClick={() => input.current?.click()}>
        <Paperclip aria-hidden className="size-4" />
        Attach
      </Button>
    </>
  );
}
