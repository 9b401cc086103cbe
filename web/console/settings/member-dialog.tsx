import { useRef } from "react";
import { newKey } from "../graph/keys";
import { useAction } from "../graph/use-action";
import { Dialog } from "../ui/dialog";
import { SelectField, TextField } from "../ui/field";
import { Form } from "./form";
import { type MemberFragment, type Role, SaveMemberDocument } from "./operations";
import { draftInput, useDraft } from "./use-draft";
import { PASSWORD_LENGTH, ROLES } from "./words";

interface Team {
  id: string;
  name: string;
}

const INPUTS = ["displayName", "email", "role", "teamId", "password"];

/** Adds somebody, or changes them. */
export function MemberDialog({
  member,
  isYou,
  teams,
  reload,
  onClose,
}: {
  /** Null: somebody new. */
  member: MemberFragment | null;
  isYou: boolean;
  teams: Team[];
  reload: () => void;
  onClose: () => void;
}) {
  const key = useRef(newKey());
  const save = useAction(SaveMemberDocument);
  const draft = useDraft(savedOf(member));
  const { values, changes } = draft;
  const role = values.role as Role;

  function input(name: keyof typeof values, said?: (saved: string) => string) {
    return draftInput(draft, save.refusal, name, said);
  }

  async function submit(): Promise<void> {
    const { teamId, ...texts } = changes;
    const team = teamId === undefined ? {} : { teamId: teamId || null };
    const what = member
      ? { userId: member.id, expectedVersion: member.version }
      : { idempotencyKey: key.current, role };
    const saved = await save.run({
      input: { ...what, ...(texts as typeof texts & { role?: Role }), ...team },
    });
    if (!saved) return;
    if (!member) reload();
    onClose();
  }

  return (
    <Dialog
      title={member ? `Edit ${member.displayName}` : "Add a member"}
      isOpen
      isDismissable={false}
      onClose={onClose}
    >
      <Form
        action={save}
        inputs={INPUTS}
        submit={member ? "Save" : "Add"}
        canSubmit={Object.keys(changes).length > 0}
        onSubmit={() => void submit()}
        onCancel={onClose}
        onStale={reload}
      >
        <TextField label="Name" required autoFocus {...input("displayName")} />
        <TextField label="E-mail" type="email" required {...input("email")} />
        <SelectField
          label="Role"
          hint={ROLES[role].may}
          {...input("role", (saved) => ROLES[saved as Role].label)}
        >
          {Object.entries(ROLES).map(([value, { label }]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </SelectField>
        <SelectField
          label="Team"
          hint="Sessions that they start belong to it."
          {...input("teamId", (saved) => teams.find(({ id }) => id === saved)?.name ?? "None")}
        >
          <option value="">None</option>
          {teams.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </SelectField>
        {isYou ? (
          <p className="text-xs text-ink-2">Your own password you change under You.</p>
        ) : (
          <TextField
            label={member ? "New password" : "Password"}
            hint={
              member
                ? `${PASSWORD_LENGTH} A new one ends their sign-ins.`
                : `${PASSWORD_LENGTH} Tell it to them; they can change it.`
            }
            type="password"
            placeholder={member ? "unchanged" : undefined}
            autoComplete="new-password"
            required={!member}
            {...input("password")}
          />
        )}
      </Form>
    </Dialog>
  );
}

function savedOf(member: MemberFragment | null) {
  return {
    displayName: member?.displayName ?? "",
    email: member?.email ?? "",
    role: member?.role ?? "ENGINEER",
    teamId: member?.team?.id ?? "",
    password: "",
  } as Record<"displayName" | "email" | "role" | "teamId" | "password", string>;
}
