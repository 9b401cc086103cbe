import { useQuery } from "urql";
import { useAction } from "../graph/use-action";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Markdown } from "../ui/markdown";
import { Refused, SkeletonRows } from "../ui/states";
import { Moment } from "../ui/time";
import { AlternativesDocument, ChooseAlternativeDocument } from "./operations";

/** Texts that an answer had before it was written anew; any of them can be brought back. */
export function AlternativesDialog({
  messageId,
  isReadOnly,
  onClose,
}: {
  messageId: string;
  isReadOnly: boolean;
  onClose: () => void;
}) {
  const [{ data }] = useQuery({
    query: AlternativesDocument,
    variables: { id: messageId },
    requestPolicy: "cache-and-network",
  });
  const choice = useAction(ChooseAlternativeDocument);
  const found = data?.node?.__typename === "BranchMessage" ? data.node.alternatives : undefined;

  async function choose(number: number): Promise<void> {
    if (await choice.run({ input: { messageId, number } })) onClose();
  }

  return (
    <Dialog title="Earlier texts of this answer" isOpen onClose={onClose} width="max-w-2xl">
      <Refused refusal={choice.refusal} />
      {!found && <SkeletonRows count={2} className="h-16" />}
      {found?.map(({ number, body, createdAt }) => (
        <article key={number} className="flex flex-col gap-2 border-l-2 pl-3">
          <header className="flex items-center justify-between gap-2 text-xs text-ink-2">
            <Moment at={createdAt} />
            {!isReadOnly && (
              <Button disabled={choice.isBusy} onClick={() => void choose(number)}>
                Bring it back
              </Button>
            )}
          </header>
          <Markdown text={body} />
        </article>
      ))}
    </Dialog>
  );
}
