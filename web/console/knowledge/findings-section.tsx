import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { Button } from "../ui/button";
import { Menu, MenuItem } from "../ui/menu";
import { Finding } from "./finding-row";
import { grouped } from "./findings";
import { Fold } from "./fold";
import type { FindingRowFragment } from "./operations";
import { Nothing } from "./section";

const FEW = 12;

/** What the session established, by what it settles; then what was withdrawn, folded. */
export function Findings({
  findings,
  onBringElsewhere,
}: {
  findings: FindingRowFragment[];
  /** Absent where the viewer may not. */
  onBringElsewhere: ((finding: FindingRowFragment) => void) | undefined;
}) {
  const withdrawn = findings.filter(({ withdrawnAt }) => withdrawnAt !== null);
  if (findings.length === 0) {
    return <Nothing>Nothing is established yet. Findings appear as answers come in.</Nothing>;
  }
  return (
    <div className="flex flex-col gap-3">
      {grouped(findings).map((group) => (
        <div key={group.kind}>
          <h3 className="pb-1 text-xs text-ink-3">
            {group.title} <span className="tabular-nums">{group.findings.length}</span>
          </h3>
          <FewAtFirst findings={group.findings} onBringElsewhere={onBringElsewhere} />
        </div>
      ))}
      {withdrawn.length > 0 && (
        <Fold title={<>Withdrawn {withdrawn.length}</>}>
          <ul className="flex flex-col gap-2">
            {withdrawn.map((finding) => (
              <li key={finding.id}>
                <Finding finding={finding} />
              </li>
            ))}
          </ul>
        </Fold>
      )}
    </div>
  );
}

function FewAtFirst({
  findings,
  onBringElsewhere,
}: {
  findings: FindingRowFragment[];
  onBringElsewhere: ((finding: FindingRowFragment) => void) | undefined;
}) {
  const [isAll, setIsAll] = useState(false);
  // The newest are the ones that one looks for, and the lists of an API grow at their ends.
  const shown = isAll ? findings : findings.slice(-FEW);
  return (
    <>
      {shown.length < findings.length && (
        <Button look="quiet" className="-ml-3 text-xs" onClick={() => setIsAll(true)}>
          Show {findings.length - shown.length} earlier
        </Button>
      )}
      <ul className="flex flex-col gap-2">
        {shown.map((finding) => (
          <li key={finding.id}>
            <Finding
              finding={finding}
              menu={
                onBringElsewhere && (
                  <Menu
                    label={`More for: ${finding.claim}`}
                    button={<Ellipsis aria-hidden className="size-3.5" />}
                    className="size-6 text-ink-3"
                  >
                    <MenuItem onAction={() => onBringElsewhere(finding)}>
                      Bring into another branch…
                    </MenuItem>
                  </Menu>
                )
              }
            />
          </li>
        ))}
      </ul>
    </>
  );
}
