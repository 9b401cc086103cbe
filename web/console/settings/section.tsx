import { type ReactNode, useId } from "react";
import type { Loaded as Found } from "../graph/use-live";
import { Failed, SkeletonRows } from "../ui/states";

/** One section of the settings: what it is for, in a sentence, and what can be added. */
export function Section({
  title,
  about,
  action,
  children,
}: {
  title: string;
  about: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex min-w-0 flex-col gap-4">
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
        <div className="min-w-0 basis-96 grow">
          <h2 id={id} className="text-lg font-semibold">
            {title}
          </h2>
          <p className="max-w-[76ch] text-ink-2">{about}</p>
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}

export function Panel({ title, children }: { title?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section
      aria-labelledby={title ? id : undefined}
      className="flex min-w-0 flex-col rounded border bg-panel"
    >
      {title && (
        <h3 id={id} className="border-b px-4 py-2 font-semibold">
          {title}
        </h3>
      )}
      {children}
    </section>
  );
}

/** What was loaded; until then its place, or why it could not be. */
export function Loaded<Data>({
  what,
  found,
  children,
}: {
  what: string;
  found: Found<Data>;
  children: (data: Data) => ReactNode;
}) {
  if (found.data) return children(found.data);
  if (found.error) return <Failed what={what} error={found.error} retry={found.reload} />;
  return <SkeletonRows count={4} className="h-8" />;
}

/** Names of things and what they are, one a line. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[minmax(96px,auto)_1fr] gap-x-6 gap-y-1.5 px-4 py-3">
      {facts.map(([name, value]) => (
        <div key={name} className="col-span-2 grid grid-cols-subgrid">
          <dt className="text-ink-2">{name}</dt>
          <dd className="min-w-0" dir="auto">
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}
