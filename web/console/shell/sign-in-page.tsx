import { type FormEvent, useState } from "react";
import type { Auth } from "../../shared/auth";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";

export function SignInPage({ auth, notice }: { auth: Auth; notice: string }) {
  const [problem, setProblem] = useState("");
  const [isBusy, setIsBusy] = useState(false);

  async function signIn(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const email = String(fields.get("email") ?? "").trim();
    setIsBusy(true);
    setProblem("");
    const refusal = await auth.signIn(email, String(fields.get("password") ?? ""));
    setIsBusy(false);
    setProblem(refusal ?? "");
  }

  return (
    <main className="flex min-h-full items-center justify-center p-4">
      <form
        onSubmit={(event) => void signIn(event)}
        className="flex w-full max-w-sm flex-col gap-4 rounded border border-line bg-panel p-6"
      >
        <div>
          <h1 className="text-lg font-semibold">FlowPilot</h1>
          <p className="text-ink-2">Sign in to see your sessions and the queue.</p>
        </div>
        <TextField
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          autoFocus
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        <p role="alert" className={problem || notice ? "text-dead-end" : "sr-only"}>
          {problem || notice}
        </p>
        <Button type="submit" look="primary" disabled={isBusy}>
          {isBusy ? "Signing in…" : "Sign in"}
        </Button>
      </form>
    </main>
  );
}
