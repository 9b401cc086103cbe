import { type FormEvent, useId, useState, useSyncExternalStore } from "react";

import type { Auth } from "../shared/auth";

interface Props {
  auth: Auth;
  hasSchema: boolean;
}

/** Above the editor: who is signed in, or the form to become somebody. */
export function AccountBar({ auth, hasSchema }: Props) {
  const { identity, notice } = useSyncExternalStore(auth.subscribe, auth.state);
  return (
    <header className="account-bar">
      {identity ? (
        <div className="account-signed-in">
          <p>
            <strong>{identity.name}</strong>{" "}
            <span className="account-quiet">{identity.detail}</span>
          </p>
          <button type="button" onClick={() => void auth.signOut()}>
            Sign out
          </button>
        </div>
      ) : (
        <SignInForm auth={auth} notice={notice} hasSchema={hasSchema} />
      )}
    </header>
  );
}

function SignInForm({ auth, notice, hasSchema }: Props & { notice: string }) {
  const [withKey, setWithKey] = useState(false);
  const [problem, setProblem] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const id = useId();

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string): string => String(fields.get(name) ?? "").trim();
    setIsBusy(true);
    setProblem("");
    const refusal = withKey
      ? await auth.enterApiKey(field("key"))
      : await auth.signIn(field("email"), String(fields.get("password") ?? ""));
    setIsBusy(false);
    setProblem(refusal ?? "");
  }

  const message = problem || notice;
  return (
    <form className="account-form" onSubmit={(event) => void submit(event)} aria-label="Sign in">
      {withKey ? (
        <label className="account-field account-wide" htmlFor={`${id}-key`}>
          API key
          <input
            id={`${id}-key`}
            name="key"
            type="password"
            placeholder="fp_…"
            autoComplete="off"
            spellCheck={false}
            required
            aria-describedby={`${id}-message`}
            aria-invalid={problem !== ""}
          />
        </label>
      ) : (
        <>
          <label className="account-field" htmlFor={`${id}-email`}>
            Email
            <input
              id={`${id}-email`}
              name="email"
              type="email"
              placeholder="engineer@first.example"
              autoComplete="username"
              required
              aria-describedby={`${id}-message`}
              aria-invalid={problem !== ""}
            />
          </label>
          <label className="account-field" htmlFor={`${id}-password`}>
            Password
            <input
              id={`${id}-password`}
              name="password"
              type="password"
              placeholder="flowpilot-demo"
              autoComplete="current-password"
              required
              aria-describedby={`${id}-message`}
              aria-invalid={problem !== ""}
            />
          </label>
        </>
      )}
      <button type="submit" className="account-primary" disabled={isBusy}>
        {isBusy ? "Signing in…" : "Sign in"}
      </button>
      <button
        type="button"
        className="account-link"
        onClick={() => {
          setWithKey(!withKey);
          setProblem("");
        }}
      >
        {withKey ? "Use email and password" : "Use an API key"}
      </button>
      <p id={`${id}-message`} className="account-message" aria-live="polite">
        {message ? (
          <span className="account-problem">{message}</span>
        ) : (
          <span className="account-quiet">
            {!hasSchema && "Docs and completion load once you are signed in. "}
            {!withKey && "Demo: engineer@first.example, flowpilot-demo"}
          </span>
        )}
      </p>
    </form>
  );
}
