import { useState } from "react";
import { useAction } from "../graph/use-action";
import { useFresh } from "../graph/use-fresh";
import { TextField } from "../ui/field";
import { duration } from "../ui/time";
import { Form } from "./form";
import {
  SaveServiceTargetsDocument,
  ServiceTargetsDocument,
  type ServiceTargetsQuery,
} from "./operations";
import { Facts, Loaded, Panel, Section } from "./section";
import type { SectionProps } from "./sections";
import { draftInput, useDraft } from "./use-draft";

type Targets = ServiceTargetsQuery["viewer"]["account"]["slaTargets"];
type Name = "normalMinutes" | "elevatedMinutes";

const TARGETS: [Name, string, string][] = [
  ["elevatedMinutes", "Elevated", "Escalations of elevated priority."],
  ["normalMinutes", "Normal", "All other escalations, and what was parked once it is due."],
];

const LONGEST_MINUTES = 43_200;

export default function ServiceTargets({ isAdmin }: SectionProps) {
  const found = useFresh(ServiceTargetsDocument, {});
  return (
    <Section
      title="Service targets"
      about="Within how long what is handed off should be claimed. After three quarters of it a handoff is at risk, after all of it breached. No time runs for what is parked until it is due, nor while somebody has claimed it."
    >
      <Panel>
        <Loaded what="The targets" found={found}>
          {({ viewer }) => {
            const targets = viewer.account.slaTargets;
            return isAdmin ? (
              <TargetsForm targets={targets} reload={found.reload} />
            ) : (
              <Facts
                facts={TARGETS.map(([name, label]) => [label, duration(targets[name] * 60)])}
              />
            );
          }}
        </Loaded>
      </Panel>
    </Section>
  );
}

function TargetsForm({ targets, reload }: { targets: Targets; reload: () => void }) {
  const save = useAction(SaveServiceTargetsDocument);
  const draft = useDraft({
    normalMinutes: String(targets.normalMinutes),
    elevatedMinutes: String(targets.elevatedMinutes),
  });
  const [isSaved, setIsSaved] = useState(false);
  const hasChanges = Object.keys(draft.changes).length > 0;

  async function submit(): Promise<void> {
    const { normalMinutes, elevatedMinutes } = draft.values;
    setIsSaved(false);
    const saved = await save.run({
      input: {
        normalMinutes: Number(normalMinutes),
        elevatedMinutes: Number(elevatedMinutes),
        expectedVersion: targets.version,
      },
    });
    if (!saved) return;
    setIsSaved(true);
    reload();
  }

  return (
    <div className="max-w-md px-4 py-3">
      <Form
        action={save}
        inputs={TARGETS.map(([name]) => name)}
        submit="Save"
        done={isSaved && !hasChanges ? "Saved." : undefined}
        canSubmit={hasChanges}
        onSubmit={() => void submit()}
        onStale={reload}
      >
        {TARGETS.map(([name, label, about]) => {
          const minutes = Number(draft.values[name]);
          return (
            <TextField
              key={name}
              label={`${label}, in minutes`}
              hint={minutes >= 60 ? `${about} That is ${duration(minutes * 60)}.` : about}
              type="number"
              min={1}
              max={LONGEST_MINUTES}
              required
              {...draftInput(draft, save.refusal, name)}
            />
          );
        })}
        <p className="text-xs text-ink-2">
          A change counts for what is handed off or due from then on.
        </p>
      </Form>
    </div>
  );
}
