import { Link } from "wouter";
import { buttonClass } from "../ui/button";
import { CopyField } from "./copy-field";
import { Panel, Section } from "./section";
import type { SectionProps } from "./sections";

export default function Api({ isAdmin }: SectionProps) {
  const address = new URL("/graphql", window.location.href);
  return (
    <Section
      title="API"
      about="Whatever this console shows or does goes through the GraphQL API, which is yours to use as well."
    >
      <Panel>
        <div className="flex flex-col gap-4 px-4 py-4">
          <CopyField label="Queries and mutations" value={address.href} />
          <CopyField
            label="Subscriptions, by the protocol graphql-transport-ws"
            value={address.href.replace(/^http/, "ws")}
          />
          <p className="max-w-[76ch]">
            A program signs in with an API key, in the header{" "}
            <code className="font-mono text-xs">Authorization: Bearer fp_…</code>.{" "}
            {isAdmin ? (
              <>
                You make one under{" "}
                <Link href="/settings/api-keys" className="text-accent underline">
                  API keys
                </Link>
                .
              </>
            ) : (
              "Your admins make them."
            )}{" "}
            GraphiQL has every type and field with what it means, an example of each mutation and
            subscription, and runs them as you.
          </p>
          <a href="/graphql" className={buttonClass("primary", "self-start")}>
            Open GraphiQL
          </a>
        </div>
      </Panel>
    </Section>
  );
}
