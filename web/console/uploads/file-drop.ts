import { type ClipboardEvent, type DragEvent, type HTMLAttributes, useState } from "react";

/** Takes the files that are dropped on or pasted into an element, and leaves everything else as it is. */
export function useFileDrop(add: (files: Iterable<File>) => void): {
  /** Files are held over it. */
  isOver: boolean;
  target: HTMLAttributes<HTMLElement>;
} {
  const [isOver, setIsOver] = useState(false);
  function drag(event: DragEvent): void {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    setIsOver(true);
  }
  return {
    isOver,
    target: {
      onDragEnter: drag,
      onDragOver: drag,
      onDragLeave(event) {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setIsOver(false);
      },
      onDrop(event) {
        setIsOver(false);
        if (event.dataTransfer.files.length === 0) return;
        event.preventDefault();
        add(event.dataTransfer.files);
      },
      onPaste(event) {
        const files = pastedFiles(event);
        if (files.length === 0) return;
        event.preventDefault();
        add(files);
      },
    },
  };
}

/** Office programs put a picture beside the text that was copied; then the text is meant. */
function pastedFiles({ clipboardData }: ClipboardEvent): File[] {
  return clipboardData.types.includes("text/plain") ? [] : [...clipboardData.files];
}
