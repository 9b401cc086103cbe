import { useQuery } from "urql";
import { Link } from "wouter";
import { Failed, Skeleton } from "../ui/states";
import { BranchGlyph } from "../ui/status";
import { percent } from "./likely";
import { SimilarSessionsDocument } from "./operations";
import { Nothing } from "./section";

/** Resolved ones that look like this one, and what solved them. */
export function SimilarSessions({ sessionId }: { sessionId: string }) {
  const [{ data, error }, execute] = useQuery({
    query: SimilarSessionsDocument,
    variables: { id: sessionId },
  });
  if (error) return <Failed what="Similar sessions" error={error} retry={() => execute()} />;
  if (!data) return <Skeleton className="h-12" />;
  const similar = data.session?.similarSessions ?? [];
  if (similar.length === 0) return <Nothing>No resolved session looks like this one.</Nothing>;
  return (
    <ul className="flex flex-col gap-2">
      {similar.map(({ score, session, solvedBy }) => (
        <li key={session.id}>
          <div className="flex items-start gap-2">
            <Link
              href={`/sessions/${session.id}`}
              className="line-clamp-2 min-w-0 flex-1 hover:underline"
              dir="auto"
            >
              {session.problemSummary ?? session.intake.text}
            </Link>
            <span
              className="shrink-0 text-xs leading-[22px] text-ink-3 tabular-nums"
              title="How much of this problem it says too"
            >
              {percent(score)}
            </span>
          </div>
          {solvedBy && (
            <p className="flex items-start gap-1.5 text-xs text-ink-2">
              <BranchGlyph status="SOLVED" className="mt-0.75" />
              <Link href={`/sessions/${session.id}/${solvedBy.id}`} className="hover:underline">
                <bdi>{solvedBy.label}</bdi>
              </Link>
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
