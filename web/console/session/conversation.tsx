import { useMemo } from "react";
import { RevivalCards } from "../knowledge/revival-cards";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { BranchOpening } from "./branch-opening";
import { EarlierMessages } from "./earlier-messages";
import { ForkCard } from "./fork-card";
import { Inherited } from "./inherited";
import { Message } from "./message";
import type { BranchRowFragment, ForkRowFragment, MessageBodyFragment } from "./operations";
import { useSession } from "./session-context";
import { ancestorsOf } from "./tree";
import { useConversation } from "./use-conversation";

/** What was said on one branch: what it inherited, its hypothesis, and then its own, with the forks where
 * they were made. */
export function Conversation({ branch }: { branch: BranchRowFragment }) {
  const { branches, forkPoints, fresh } = useSession();
  const { messages, wasRevived, error, reload } = useConversation(branch, fresh);
  const branchId = branch.id;
  const forks = useMemo(() => forksByMessage(forkPoints, branchId), [forkPoints, branchId]);
  const lineage = ancestorsOf(branch, branches);
  const edges = messages?.edges ?? [];
  const lastId = edges.at(-1)?.node.id;
  return (
    <div className="mx-auto flex w-full max-w-[690px] flex-col gap-5 px-4 py-4">
      {lineage.length > 0 && <Inherited branch={branch} lineage={lineage} />}
      <BranchOpening branch={branch} />
      {(wasRevived || branch.status === "REVIVED") && <RevivalCards branchId={branchId} />}
      {messages?.pageInfo.hasPreviousPage && messages.pageInfo.startCursor && (
        <EarlierMessages branchId={branchId} before={messages.pageInfo.startCursor} />
      )}
      {forks.get("")?.map((fork) => (
        <ForkCard key={fork.id} fork={fork} />
      ))}
      {!messages && !error && branch.messageCount > 0 && (
        <SkeletonRows count={3} className="h-16" />
      )}
      {!messages && error && <Failed what="The conversation" error={error} retry={reload} />}
      {branch.messageCount === 0 && !forks.size && (
        <Empty>Nothing was said here yet. Say what you see, or what to check first.</Empty>
      )}
      {edges.map(({ node }) => (
        <MessageAndForks
          key={node.id}
          message={node}
          isLast={node.id === lastId}
          forks={forks.get(node.id) ?? []}
        />
      ))}
    </div>
  );
}

function MessageAndForks({
  message,
  isLast,
  forks,
}: {
  message: MessageBodyFragment;
  isLast: boolean;
  forks: ForkRowFragment[];
}) {
  return (
    <>
      <Message message={message} isLast={isLast} isForked={forks.length > 0} />
      {forks.map((fork) => (
        <ForkCard key={fork.id} fork={fork} />
      ))}
    </>
  );
}

/** The forks of a branch under the message after which they were made; "" where nothing was said before. */
function forksByMessage(
  forkPoints: ForkRowFragment[],
  branchId: string,
): Map<string, ForkRowFragment[]> {
  return Map.groupBy(
    forkPoints.filter(({ parent }) => parent.id === branchId),
    ({ afterMessage }) => afterMessage?.id ?? "",
  );
}
