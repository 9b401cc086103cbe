import { Ellipsis, Plus } from "lucide-react";
import { useState } from "react";
import { useAction } from "../graph/use-action";
import { useFresh } from "../graph/use-fresh";
import { Avatar } from "../ui/avatar";
import { Button } from "../ui/button";
import { Menu, MenuItem } from "../ui/menu";
import { Refused } from "../ui/states";
import { Deactivation } from "./deactivation";
import { MemberDialog } from "./member-dialog";
import { type MemberFragment, MembersDocument, ReactivateMemberDocument } from "./operations";
import { Loaded, Panel, Section } from "./section";
import type { SectionProps } from "./sections";
import { Cell, Row, Table } from "./table";
import { ROLES } from "./words";

type Opened = { deed: "add" } | { deed: "edit" | "deactivate"; id: string };

export default function Members({ viewer, isAdmin }: SectionProps) {
  const found = useFresh(MembersDocument, {});
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened(null);

  return (
    <Section
      title="Members"
      about={
        isAdmin
          ? "The people of the account. Nobody is deleted: who leaves is deactivated, and what they did keeps their name."
          : "The people of the account. Admins add and change them."
      }
      action={
        isAdmin && (
          <Button look="primary" onClick={() => setOpened({ deed: "add" })}>
            <Plus aria-hidden className="size-4" />
            Add a member
          </Button>
        )
      }
    >
      <Loaded what="The members" found={found}>
        {({ members, viewer: { account } }) => {
          const member = opened && "id" in opened && members.find(({ id }) => id === opened.id);
          return (
            <>
              <Panel>
                <Table
                  label="Members"
                  heads={["Name", "Role", "Team", "State", ...(isAdmin ? [""] : [])]}
                >
                  {inOrder(members).map((each) => (
                    <MemberRow
                      key={each.id}
                      member={each}
                      isYou={each.id === viewer.user?.id}
                      open={isAdmin ? (deed) => setOpened({ deed, id: each.id }) : undefined}
                    />
                  ))}
                </Table>
              </Panel>
              {opened && opened.deed !== "deactivate" && (
                <MemberDialog
                  member={member || null}
                  isYou={member ? member.id === viewer.user?.id : false}
                  teams={account.teams}
                  reload={found.reload}
                  onClose={close}
                />
              )}
              {opened?.deed === "deactivate" && member && (
                <Deactivation member={member} onClose={close} />
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

/** Those who may come in first. */
function inOrder(members: MemberFragment[]): MemberFragment[] {
  return members.toSorted((a, b) => Number(b.isActive) - Number(a.isActive));
}

function MemberRow({
  member,
  isYou,
  open,
}: {
  member: MemberFragment;
  isYou: boolean;
  /** Not there for those who may only look. */
  open: ((deed: "edit" | "deactivate") => void) | undefined;
}) {
  const reactivate = useAction(ReactivateMemberDocument);
  const { displayName, isActive } = member;
  return (
    <Row>
      <Cell isFirst>
        <div className="flex gap-3">
          <Avatar name={displayName} className={`mt-0.5 ${isActive ? "" : "opacity-50"}`} />
          <div className="min-w-0">
            <span className={`font-medium ${isActive ? "" : "text-ink-2"}`} dir="auto">
              {displayName}
            </span>
            {isYou && <span className="ml-2 text-xs text-ink-3">you</span>}
            <p className="text-xs text-ink-2">{member.email}</p>
          </div>
        </div>
        <Refused refusal={reactivate.refusal} className="mt-2" />
      </Cell>
      <Cell>{ROLES[member.role].label}</Cell>
      <Cell label="Team">{member.team?.name ?? <span className="text-ink-3">None</span>}</Cell>
      <Cell>{isActive ? "Active" : <span className="text-ink-3">Deactivated</span>}</Cell>
      {open && (
        <Cell isLast>
          <Menu
            label={`Change ${displayName}`}
            button={<Ellipsis aria-hidden className="size-4" />}
            className="size-8"
          >
            <MenuItem onAction={() => open("edit")}>Edit</MenuItem>
            {isActive && !isYou && (
              <MenuItem onAction={() => open("deactivate")}>Deactivate</MenuItem>
            )}
            {!isActive && (
              <MenuItem onAction={() => void reactivate.run({ input: { userId: member.id } })}>
                Reactivate
              </MenuItem>
            )}
          </Menu>
        </Cell>
      )}
    </Row>
  );
}
