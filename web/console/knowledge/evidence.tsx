import { useQuery } from "urql";
import { CheckField } from "../ui/field";
import { Failed, SkeletonRows } from "../ui/states";
import { Moment } from "../ui/time";
import { EvidenceMessagesDocument, type EvidenceMessagesQuery } from "./operations";

const MOST = 20;
const SHOWN = 30;
const BEGINNING = 200;

/** The last that was said on a branch, to choose from. */
export function Evidence({
  branchId,
  chosen,
  onChoose,
  problem,
}: {
  branchId: string;
  chosen: string[];
  onChoose: (ids: string[]) => void;
  problem: string | undefined;
}) {
  // What a page that is open beside this has read further back is not read anew, and kept.
  const [{ data, error }, reload] = useQuery({
    query: EvidenceMessagesDocument,
    variables: { id: branchId },
    pause: branchId === "",
  });
  const branch = data?.branch?.id === branchId ? data.branch : undefined;
  const messages = branch?.messages.edges
    .map(({ node }) => node)
    .filter(({ body, role }) => body !== "" && role !== "NOTE")
    .slice(-SHOWN);
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="pb-1 text-xs font-medium text-ink-2">
        Messages that show it{" "}
        <span className="font-normal text-ink-3">
          {chosen.length > 0 ? `${chosen.length} of at most ${MOST}` : "none is needed"}
        </span>
      </legend>
      {error && !branch && <Failed what="Its messages" error={error} retry={() => reload()} />}
      {!branch && !error && <SkeletonRows count={3} className="h-10" />}
      {messages?.length === 0 && <p className="text-ink-2">Nothing was said on this branch.</p>}
      {messages && messages.length > 0 && (
        <ul className="max-h-[36vh] divide-y overflow-y-auto rounded border">
          {messages.toReversed().map((message) => (
            <li key={message.id} className="px-2.5 py-1.5">
              <CheckField
                checked={chosen.includes(message.id)}
                disabled={chosen.length >= MOST && !chosen.includes(message.id)}
                onChange={(event) =>
                  onChoose(
                    event.target.checked
                      ? [...chosen, message.id]
                      : chosen.filter((id) => id !== message.id),
                  )
                }
                label={<Beginning message={message} />}
              />
            </li>
          ))}
        </ul>
      )}
      {problem && <p className="text-xs text-dead-end">{problem}</p>}
    </fieldset>
  );
}

type EvidenceMessage = NonNullable<
  EvidenceMessagesQuery["branch"]
>["messages"]["edges"][number]["node"];

function Beginning({ message: { author, body, createdAt } }: { message: EvidenceMessage }) {
  return (
    <span className="block">
      <span className="text-xs text-ink-3">
        <bdi>{author?.displayName ?? "Assistant"}</bdi>, <Moment at={createdAt} />
      </span>
      <span dir="auto" className="line-clamp-2">
        {body.slice(0, BEGINNING)}
      </span>
    </span>
  );
}
