import { Dialog } from "../ui/dialog";
import { useUploads } from "../uploads/use-uploads";
import type { PeopleQuery } from "./operations";
import { StartForm } from "./start-form";

/** Its files are kept until it is sent, as what was typed is. */
export function StartDialog({
  isOpen,
  onClose,
  people,
}: {
  isOpen: boolean;
  onClose: () => void;
  people: PeopleQuery | undefined;
}) {
  const uploads = useUploads("start");
  return (
    <Dialog title="New session" isOpen={isOpen} onClose={onClose} width="max-w-2xl">
      <StartForm uploads={uploads} people={people} onClose={onClose} />
    </Dialog>
  );
}
