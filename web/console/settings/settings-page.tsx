import { Suspense } from "react";
import { Link } from "wouter";
import { useFresh } from "../graph/use-fresh";
import { Header } from "../shell/header";
import { NotFound } from "../shell/not-found";
import { Empty, SkeletonRows } from "../ui/states";
import { SettingsViewerDocument } from "./operations";
import { Loaded } from "./section";
import { SECTIONS } from "./sections";

export default function SettingsPage({ section }: { section?: string | undefined }) {
  const found = useFresh(SettingsViewerDocument, {});
  const here = section ? SECTIONS.find(({ id }) => id === section) : SECTIONS[0];
  if (!here) return <NotFound />;

  const View = here.view;
  return (
    <>
      <Header title="Settings" about={found.data?.viewer.account.name} />
      <main className="mx-auto grid max-w-[1160px] gap-x-8 gap-y-4 p-4 md:grid-cols-[184px_minmax(0,1fr)] md:p-6">
        <Loaded what="The settings" found={found}>
          {({ viewer }) => {
            const isAdmin = viewer.user
              ? viewer.user.role === "ADMIN"
              : viewer.scopes.includes("ADMIN");
            return (
              <>
                <Sections here={here.id} isAdmin={isAdmin} />
                <Suspense fallback={<SkeletonRows count={4} className="h-8" />}>
                  {here.isForAdmins && !isAdmin ? (
                    <Empty>
                      Only admins see this. Ask one of yours; Members says who they are.
                    </Empty>
                  ) : (
                    <View viewer={viewer} isAdmin={isAdmin} />
                  )}
                </Suspense>
              </>
            );
          }}
        </Loaded>
      </main>
    </>
  );
}

function Sections({ here, isAdmin }: { here: string; isAdmin: boolean }) {
  return (
    <nav
      aria-label="Sections"
      className="flex flex-wrap gap-0.5 self-start md:sticky md:top-6 md:flex-col"
    >
      {SECTIONS.filter(({ isForAdmins }) => isAdmin || !isForAdmins).map(
        ({ id, label, icon: Icon }) => (
          <Link
            key={id}
            href={`/settings/${id}`}
            aria-current={id === here ? "page" : undefined}
            className="flex min-h-8 items-center gap-2 rounded px-2.5 text-ink-2 transition-colors hover:bg-hover hover:text-ink aria-[current]:bg-accent-soft aria-[current]:font-medium aria-[current]:text-ink"
          >
            <Icon aria-hidden className="size-4 shrink-0 max-sm:hidden" />
            {label}
          </Link>
        ),
      )}
    </nav>
  );
}
