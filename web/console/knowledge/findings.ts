import type { FindingKind, FindingRowFragment } from "./operations";

export interface FindingGroup {
  kind: FindingKind;
  title: string;
  findings: FindingRowFragment[];
}

const TITLES: [FindingKind, string][] = [
  ["RULED_OUT", "Ruled out"],
  ["CONFIRMED", "Confirmed"],
  ["OBSERVED", "Observed"],
];

/** What holds, by what it settles; kinds of which there is nothing are left out. */
export function grouped(findings: FindingRowFragment[]): FindingGroup[] {
  return TITLES.map(([kind, title]) => ({
    kind,
    title,
    findings: findings.filter((finding) => finding.kind === kind && finding.withdrawnAt === null),
  })).filter((group) => group.findings.length > 0);
}
