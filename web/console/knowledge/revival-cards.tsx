import { type ReactNode, useEffect, useRef } from "react";
import { useQuery } from "urql";
import { Moment } from "../ui/time";
import { Fold } from "./fold";
import { BranchLink, MessageLink, WaysProvider } from "./links";
import { RevivalsDocument, type RevivalsQuery } from "./operations";
import { Quote } from "./quote";
import { useNavigation } from "./use-navigation";

type Revival = NonNullable<RevivalsQuery["branch"]>["revivals"][number];

/** Why a branch was brought back: the reason why it was given up, and what speaks against that. */
export function RevivalCards({ branchId }: { branchId: string }) {
  const [{ data }, execute] = useQuery({
    query: RevivalsDocument,
    variables: { branchId },
    requestPolicy: "cache-and-network",
  });
  const branch = data?.branch?.id === branchId ? data.branch : null;
  const sessionId = branch?.session.id;
  const revivals = branch?.revivals ?? [];
  const ways = useNavigation(sessionId ?? "");

  // Somebody else may bring it back while this is open.
  const status = branch?.status;
  const known = useRef(status);
  useEffect(() => {
    const isNew = known.current !== undefined && known.current !== status;
    known.current = status;
    if (isNew && status === "REVIVED") execute({ requestPolicy: "network-only" });
  }, [status, execute]);

  const [newest, ...earlier] = revivals;
  if (!newest) return null;
  return (
    <WaysProvider value={ways}>
      <Card revival={newest}>
        {earlier.length > 0 && (
          <Fold title={<>Brought back before {earlier.length}</>}>
            <ul className="flex flex-col gap-3">
              {earlier.map((revival) => (
                <li key={revival.revivedAt}>
                  <What revival={revival} />
                </li>
              ))}
            </ul>
          </Fold>
        )}
      </Card>
    </WaysProvider>
  );
}

function Card({ revival, children }: { revival: Revival; children: ReactNode }) {
  return (
    <section
      aria-label="Why it was brought back"
      className="flex flex-col gap-2 rounded border border-l-3 border-revived/40 border-l-revived bg-revived-soft px-3 py-2.5"
    >
      <What revival={revival} />
      {children}
    </section>
  );
}

function What({ revival }: { revival: Revival }) {
  const { description, evidence, evidenceFrom, revivedAt, revivedBy } = revival;
  const { deadEndAt, deadEndReason } = revival;
  return (
    <div className="flex flex-col gap-2">
      <p className="text-xs font-semibold text-revived">
        Brought back by evidence from “
        <BranchLink id={evidenceFrom.id} className="hover:underline">
          {evidenceFrom.label}
        </BranchLink>
        ”
      </p>
      {deadEndAt && deadEndReason && (
        <Quote
          source={
            <>
              Dead end <Moment at={deadEndAt} />
            </>
          }
        >
          {deadEndReason}
        </Quote>
      )}
      {evidence.map((message) => (
        <Quote
          key={message.id}
          source={
            <>
              New{" "}
              <MessageLink message={message}>
                <Moment at={message.createdAt} />
              </MessageLink>
            </>
          }
        >
          {message.body}
        </Quote>
      ))}
      <p dir="auto">{description}</p>
      <p className="text-xs text-ink-2">
        {revivedBy ? <bdi>{revivedBy.displayName}</bdi> : "The assistant"},{" "}
        <Moment at={revivedAt} />
      </p>
    </div>
  );
}
