import { useRef } from "react";
import { Link } from "wouter";
import { ROW_LINK, useRowKeys } from "../ui/row-keys";
import { SessionState } from "../ui/status";
import { Ago } from "../ui/time";
import type { SessionListRowFragment } from "./operations";

const HEADS = ["Status", "Problem", "Domain", "Branches", "Assignee", "Team", "Ticket", "Begun"];
const CELL = "px-3 py-2 align-top leading-[22px] max-md:p-0";
const DETAIL = `${CELL} text-xs text-ink-2`;

export function SessionTable({ sessions }: { sessions: SessionListRowFragment[] }) {
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table);
  return (
    <table ref={table} className="w-full border-collapse max-md:block">
      <thead className="max-md:sr-only">
        <tr className="border-b text-left text-xs text-ink-2">
          {HEADS.map((head) => (
            <th
              key={head}
              scope="col"
              className={`px-3 py-2 font-medium whitespace-nowrap ${head === "Branches" ? "text-right" : ""}`}
            >
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="max-md:block">
        {sessions.map((session) => (
          <SessionRow key={session.id} session={session} />
        ))}
      </tbody>
    </table>
  );
}

function SessionRow({ session }: { session: SessionListRowFragment }) {
  return (
    <tr className="relative border-b transition-colors last:border-b-0 focus-within:bg-hover hover:bg-hover max-md:flex max-md:flex-wrap max-md:items-baseline max-md:gap-x-3 max-md:gap-y-0.5 max-md:p-3">
      <td className={CELL}>
        <SessionState status={session.status} className="leading-[22px]" />
      </td>
      <td className={`${CELL} w-full max-md:order-first`}>
        {/* Its box is the whole row, so that one may click anywhere in it. */}
        <Link
          {...ROW_LINK}
          href={`/sessions/${session.id}`}
          dir="auto"
          className="line-clamp-2 font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          {session.problemSummary ?? session.intake.text.slice(0, 160)}
        </Link>
      </td>
      <td className={`${DETAIL} whitespace-nowrap`}>{session.problemDomain}</td>
      <td className={`${DETAIL} tabular-nums md:text-right`}>
        {session.branchCount}
        <span className="md:sr-only">{session.branchCount === 1 ? " branch" : " branches"}</span>
      </td>
      <td className={`${DETAIL} whitespace-nowrap`}>{session.assignee.displayName}</td>
      <td className={`${DETAIL} whitespace-nowrap max-md:hidden`}>{session.team?.name}</td>
      <td className={`${DETAIL} whitespace-nowrap`}>{session.psaTicketId}</td>
      <td className={`${DETAIL} whitespace-nowrap tabular-nums`}>
        <Ago at={session.createdAt} />
      </td>
    </tr>
  );
}
