import type { Presence } from "./use-presence";

/** Above the composer: who writes a question here at the same time. */
export function WhoIsAsking({ people }: { people: Presence[] }) {
  const names = people.filter(({ isAsking }) => isAsking).map(({ user }) => user.displayName);
  return (
    <p role="status" className="min-h-5 text-xs text-ink-2">
      {names.length > 0 && `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} asking here`}
    </p>
  );
}
