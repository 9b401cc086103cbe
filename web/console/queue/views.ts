import type { QueueFilter } from "./operations";

export const VIEWS = ["team", "all", "escalated", "parked", "late"] as const;
export type View = (typeof VIEWS)[number];

/** What of the queue is shown, as it stands in the address. */
export interface Shown {
  view: View;
  /** Empty: every one. */
  domain: string;
}

export function shownOf(address: URLSearchParams): Shown {
  const named = address.get("view");
  return {
    view: VIEWS.find((view) => view === named) ?? "all",
    domain: address.get("domain") ?? "",
  };
}

export function addressOf({ view, domain }: Shown): URLSearchParams {
  const address = new URLSearchParams();
  if (view !== "all") address.set("view", view);
  if (domain) address.set("domain", domain);
  return address;
}

/** As the server has it. Whoever is in no team sees all of the queue as that of the team. */
export function asked({ view, domain }: Shown, teamId: string | undefined): QueueFilter {
  const filter: QueueFilter = domain ? { domain } : {};
  if (view === "team" && teamId) filter.teamId = teamId;
  if (view === "escalated") filter.intent = "ESCALATE";
  if (view === "parked") filter.intent = "PARK";
  if (view === "late") filter.slaState = ["AT_RISK", "BREACHED"];
  return filter;
}

/** The domains that wait, the most frequent first. */
export function domainsOf(waiting: (string | null)[]): { domain: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const domain of waiting) if (domain) counts.set(domain, (counts.get(domain) ?? 0) + 1);
  return [...counts]
    .map(([domain, count]) => ({ domain, count }))
    .sort((a, b) => b.count - a.count || a.domain.localeCompare(b.domain));
}
