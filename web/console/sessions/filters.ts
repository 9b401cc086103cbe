import type { SessionStatus } from "../ui/status";
import type { SessionFilter } from "./operations";

export const STATUSES: SessionStatus[] = ["ACTIVE", "ESCALATED", "PAUSED", "RESOLVED", "ABANDONED"];

export type Whose = "all" | "team" | "mine";

/** Which sessions are shown, as it stands in the address. */
export interface Filters {
  status: SessionStatus[];
  whose: Whose;
  /** One person's, among all or those of the team. */
  assigneeId: string;
  search: string;
}

/** What the address does not know, or knows wrongly, does not filter. */
export function filtersOf(address: URLSearchParams): Filters {
  const named = (address.get("status") ?? "").toUpperCase().split(",");
  const whose = address.get("whose");
  return {
    status: STATUSES.filter((status) => named.includes(status)),
    whose: whose === "mine" || whose === "team" ? whose : "all",
    assigneeId: whose === "mine" ? "" : (address.get("assignee") ?? ""),
    search: address.get("q") ?? "",
  };
}

/** The address with these filters; whatever else it says stays. */
export function addressOf(filters: Filters, address: URLSearchParams): URLSearchParams {
  const changed = new URLSearchParams(address);
  const said: Record<string, string> = {
    status: filters.status.join(",").toLowerCase(),
    whose: filters.whose === "all" ? "" : filters.whose,
    assignee: filters.whose === "mine" ? "" : filters.assigneeId,
    q: filters.search.trim(),
  };
  for (const [name, value] of Object.entries(said)) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  return changed;
}

/** As the server has it. Whoever is in no team sees all sessions as those of the team. */
export function asked(
  { status, whose, assigneeId, search }: Filters,
  viewer: { id: string; teamId: string | undefined },
): SessionFilter {
  const filter: SessionFilter = {};
  if (status.length) filter.status = status;
  if (whose === "mine") filter.assigneeId = viewer.id;
  else if (assigneeId) filter.assigneeId = assigneeId;
  if (whose === "team" && viewer.teamId) filter.teamId = viewer.teamId;
  if (search.trim()) filter.search = search.trim().slice(0, 200);
  return filter;
}

export function isFiltered({ status, whose, assigneeId, search }: Filters): boolean {
  return status.length > 0 || whose !== "all" || assigneeId !== "" || search.trim() !== "";
}
