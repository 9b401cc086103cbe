import { useState } from "react";
import { useAction } from "../graph/use-action";
import { chooseTheme, type Theme, useTheme } from "../shell/theme";
import { useAuth } from "../shell/viewer";
import { CheckField, TextField } from "../ui/field";
import { fieldProblem } from "../ui/states";
import { Form } from "./form";
import { ChangePasswordDocument } from "./operations";
import { Facts, Panel, Section } from "./section";
import type { SectionProps, SettingsViewer } from "./sections";
import { PASSWORD_LENGTH, ROLES } from "./words";

export default function You({ viewer }: SectionProps) {
  const { user, account, scopes } = viewer;
  return (
    <Section title="You" about="Who you are here, and how the console looks to you.">
      <Panel title="Profile">
        {user ? (
          <>
            <Facts
              facts={[
                ["Name", user.displayName],
                ["E-mail", user.email],
                ["Role", ROLES[user.role].label],
                ["Team", user.team?.name ?? "None"],
                ["Account", account.name],
              ]}
            />
            <p className="px-4 pb-3 text-xs text-ink-3">
              {user.role === "ADMIN"
                ? "You change these under Members."
                : "Admins change these under Members."}
            </p>
          </>
        ) : (
          <Facts
            facts={[
              ["Signed in with", "An API key"],
              ["Scopes", scopes.join(", ").toLowerCase()],
              ["Account", account.name],
            ]}
          />
        )}
      </Panel>
      <Panel title="Theme">
        <ThemeChoice />
      </Panel>
      {user && (
        <Panel title="Password">
          <PasswordForm user={user} />
        </Panel>
      )}
    </Section>
  );
}

const THEMES: [Theme, string][] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

function ThemeChoice() {
  const theme = useTheme();
  return (
    <fieldset className="flex flex-wrap gap-x-6 gap-y-2 px-4 py-3">
      <legend className="sr-only">Theme</legend>
      {THEMES.map(([value, label]) => (
        <label key={value} className="flex items-center gap-2">
          <input
            type="radio"
            name="theme"
            checked={theme === value}
            onChange={() => chooseTheme(value)}
            className="size-3.5 accent-accent"
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

const UNTYPED = { currentPassword: "", newPassword: "" };

function PasswordForm({ user }: { user: NonNullable<SettingsViewer["user"]> }) {
  const auth = useAuth();
  const change = useAction(ChangePasswordDocument);
  const [input, setInput] = useState(UNTYPED);
  const [isShown, setIsShown] = useState(false);
  const [isDone, setIsDone] = useState(false);
  const type = isShown ? "text" : "password";

  async function save(): Promise<void> {
    setIsDone(false);
    const changed = await change.run({ input });
    if (!changed) return;
    auth.continueWith(changed.tokens);
    setInput(UNTYPED);
    setIsDone(true);
  }

  return (
    <div className="max-w-md px-4 py-3">
      <Form
        action={change}
        inputs={Object.keys(UNTYPED)}
        submit="Change the password"
        busy="Changing…"
        done={isDone ? "Changed. Your other sign-ins have ended." : undefined}
        onSubmit={() => void save()}
      >
        {/* For password managers, which else do not know whose it is. */}
        <input type="text" autoComplete="username" value={user.email} readOnly hidden />
        <TextField
          label="Present password"
          type={type}
          autoComplete="current-password"
          required
          value={input.currentPassword}
          onChange={(event) => setInput({ ...input, currentPassword: event.target.value })}
          problem={fieldProblem(change.refusal, "currentPassword")}
        />
        <TextField
          label="New password"
          hint={`${PASSWORD_LENGTH} It ends all your other sign-ins; this one goes on.`}
          type={type}
          autoComplete="new-password"
          required
          value={input.newPassword}
          onChange={(event) => setInput({ ...input, newPassword: event.target.value })}
          problem={fieldProblem(change.refusal, "newPassword")}
        />
        <CheckField
          label="Show what I type"
          checked={isShown}
          onChange={(event) => setIsShown(event.target.checked)}
        />
      </Form>
    </div>
  );
}
