import { useQuery } from "urql";
import { Dialog } from "../ui/dialog";
import { Failed, SkeletonRows } from "../ui/states";
import { DeliverForm } from "./deliver-form";
import { offersFor, type Session } from "./destinations";
import { DestinationsDocument, type WholeDocumentFragment } from "./operations";

interface Props {
  document: WholeDocumentFragment;
  session: Session;
  onClose: () => void;
  onSent: () => void;
}

export function DeliverDialog({
  title,
  isOpen,
  ...props
}: Props & { title: string; isOpen: boolean }) {
  return (
    <Dialog
      title={`Deliver: ${title}`}
      isOpen={isOpen}
      onClose={props.onClose}
      width="sm:max-w-2xl"
    >
      <Offers {...props} />
    </Dialog>
  );
}

function Offers(props: Props) {
  const [{ data, error }, reload] = useQuery({
    query: DestinationsDocument,
    requestPolicy: "cache-and-network",
  });
  if (error && !data) return <Failed what="The destinations" error={error} retry={reload} />;
  if (!data) return <SkeletonRows count={4} className="h-10" />;
  return (
    <DeliverForm
      {...props}
      offers={offersFor(props.document.type, props.session, data.integrations)}
    />
  );
}
