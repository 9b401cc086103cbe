import { ArrowRight } from "lucide-react";
import { Link } from "wouter";
import { Moment } from "../ui/time";
import { fieldLabel, nameOf, saidOf, unknownActor, valueLabel } from "./audit-words";
import type { AuditRowFragment } from "./operations";

/** Who did what to what, and what that changed. */
export function AuditEntryRow({
  entry,
  names,
}: {
  entry: AuditRowFragment;
  /** Of the objects that changes name by their ids. */
  names: Map<string, string>;
}) {
  const { action, occurredAt, actor, apiKey, target, session, changes, address, requestId } = entry;
  const { before, after } = saidOf(action);
  const who = apiKey ? `The API key ${apiKey.name}` : (actor?.displayName ?? unknownActor(action));
  return (
    <li className="flex gap-x-4 px-4 py-1.5 max-sm:flex-wrap">
      <Moment at={occurredAt} className="w-28 shrink-0 text-xs text-ink-2 tabular-nums" />
      <div className="min-w-0 grow max-sm:order-last max-sm:basis-full">
        <p>
          <span className="font-medium" dir="auto">
            {who}
          </span>{" "}
          {before}
          {after !== undefined && (
            <>
              {" "}
              <Target entry={entry} />
              {after}
            </>
          )}
          {session && target?.id !== session.id && (
            <>
              {" in "}
              <Link href={`/sessions/${session.id}`} className="text-ink-2 hover:underline">
                <bdi>{session.problemSummary ?? "a session"}</bdi>
              </Link>
            </>
          )}
        </p>
        {changes.length > 0 && (
          <ul className="flex flex-wrap gap-x-4 text-xs text-ink-2">
            {changes.map((change) => (
              <Change key={change.field} change={change} names={names} />
            ))}
          </ul>
        )}
      </div>
      {address && (
        <span
          className="ml-auto shrink-0 text-xs text-ink-3 tabular-nums"
          title={requestId ? `Request ${requestId}` : undefined}
        >
          {address}
        </span>
      )}
    </li>
  );
}

function Target({ entry: { target, session } }: { entry: AuditRowFragment }) {
  if (!target) return <span className="text-ink-3">that is no more</span>;
  const name = <bdi>{nameOf(target)}</bdi>;
  const href =
    target.__typename === "AiSession"
      ? `/sessions/${target.id}`
      : target.__typename === "Branch" && session
        ? `/sessions/${session.id}/${target.id}`
        : null;
  if (!href) return <span className="font-medium">{name}</span>;
  return (
    <Link href={href} className="font-medium hover:underline">
      {name}
    </Link>
  );
}

function Change({
  change: { field, before, after },
  names,
}: {
  change: AuditRowFragment["changes"][number];
  names: Map<string, string>;
}) {
  const said = (value: string) => names.get(value) ?? valueLabel(value);
  return (
    <li className="flex min-w-0 flex-wrap items-center gap-x-1">
      <span className="text-ink-3">{fieldLabel(field)}</span>
      {before !== null && (
        <>
          <bdi>{said(before)}</bdi>
          <ArrowRight aria-hidden className="size-3 text-ink-3 rtl:rotate-180" />
          <span className="sr-only">became</span>
        </>
      )}
      {after !== null && <bdi className="font-medium text-ink">{said(after)}</bdi>}
      {after === null && (before === null ? "changed" : "empty")}
    </li>
  );
}
