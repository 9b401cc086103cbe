import { Plus } from "lucide-react";
import { useState } from "react";
import { useFresh } from "../graph/use-fresh";
import { Button } from "../ui/button";
import { Empty } from "../ui/states";
import { ConnectionDialog } from "./connection-dialog";
import { ConnectionRow } from "./connection-row";
import { ConnectionsDocument } from "./operations";
import { Removal } from "./removal";
import { Loaded, Panel, Section } from "./section";
import type { SectionProps } from "./sections";

type Opened = { deed: "add" } | { deed: "edit" | "remove"; id: string };

export default function Connections({ isAdmin }: SectionProps) {
  const found = useFresh(ConnectionsDocument, {});
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened(null);
  const add = isAdmin && (
    <Button look="primary" onClick={() => setOpened({ deed: "add" })}>
      <Plus aria-hidden className="size-4" />
      Add a connection
    </Button>
  );

  return (
    <Section
      title="Connections"
      about="Systems outside that notes and documents are sent to: ticket systems, libraries, mail, and programs of your own. Their secrets are kept encrypted and never shown again."
      action={add}
    >
      <Loaded what="The connections" found={found}>
        {({ integrations }) => {
          const connection =
            opened && "id" in opened ? integrations.find(({ id }) => id === opened.id) : undefined;
          return (
            <>
              <Panel>
                {integrations.length === 0 && (
                  <Empty>
                    {isAdmin
                      ? "Nothing is connected yet. Add your ticket system first; the test says at once whether it answers."
                      : "Nothing is connected yet. Admins add connections."}
                  </Empty>
                )}
                <ul className="divide-y divide-line">
                  {integrations.map((each) => (
                    <ConnectionRow
                      key={each.id}
                      connection={each}
                      reload={found.reload}
                      open={isAdmin ? (deed) => setOpened({ deed, id: each.id }) : undefined}
                    />
                  ))}
                </ul>
              </Panel>
              {opened && opened.deed !== "remove" && (
                <ConnectionDialog
                  connection={connection ?? null}
                  reload={found.reload}
                  onClose={close}
                />
              )}
              {opened?.deed === "remove" && connection && (
                <Removal connection={connection} reload={found.reload} onClose={close} />
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
