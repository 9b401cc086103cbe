import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { IconButton } from "./button";

/** Over the page, until it is done or closed; on a phone it comes up from below. What is in it is made anew
 * each time it is opened, so nothing of the last time is left. */
export function Dialog({
  title,
  isOpen,
  onClose,
  width = "max-w-lg",
  isDismissable = true,
  children,
}: {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  width?: string;
  /** Whether a click beside it closes it; not where that would lose what was typed. */
  isDismissable?: boolean;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={(open) => open || onClose()}
      isDismissable={isDismissable}
      className="fixed inset-0 z-20 flex items-end justify-center bg-shade sm:items-center sm:p-6"
    >
      <Modal
        className={`max-h-full w-full overflow-y-auto rounded-t border border-line bg-panel shadow-float sm:rounded ${width}`}
      >
        <AriaDialog className="outline-none">
          <header className="flex items-center justify-between gap-4 border-b px-4 py-2.5">
            <Heading slot="title" className="text-base font-semibold">
              {title}
            </Heading>
            <IconButton label="Close" onClick={onClose}>
              <X aria-hidden className="size-4" />
            </IconButton>
          </header>
          <div className="flex flex-col gap-4 p-4">{children}</div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** At the end of a dialog, the deed last. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <footer className="flex flex-wrap justify-end gap-2">{children}</footer>;
}
