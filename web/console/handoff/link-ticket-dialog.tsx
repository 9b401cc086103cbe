import { useQuery } from "urql";
import { SelectField, TextField } from "../ui/field";
import { Failed, fieldProblem, SkeletonRows } from "../ui/states";
import { useKept } from "../ui/use-kept";
import { FormDialog } from "./form-dialog";
import { LinkTicketDocument, type SessionHeadFragment, TicketSystemsDocument } from "./operations";
import { useMove } from "./use-move";

const TICKET_SYSTEMS = ["CONNECTWISE", "HALOPSA", "AUTOTASK"];

/** Says which ticket the session is about. Shown only while it is open. */
export function LinkTicketDialog({
  session,
  onClose,
}: {
  session: SessionHeadFragment;
  onClose: () => void;
}) {
  const [{ data, error, fetching }, load] = useQuery({
    query: TicketSystemsDocument,
    requestPolicy: "cache-and-network",
  });
  const { filled, fill, forget } = useKept(`link-ticket.${session.id}`, () => ({
    chosen: session.integration?.id,
    number: "",
  }));
  const move = useMove(LinkTicketDocument, session.id);
  const systems = data?.integrations.filter(
    ({ provider, isEnabled }) => isEnabled && TICKET_SYSTEMS.includes(provider),
  );
  const integrationId = (systems?.find(({ id }) => id === filled.chosen) ?? systems?.[0])?.id;

  async function submit(): Promise<void> {
    if (!integrationId) return;
    const done = await move.run({
      input: {
        sessionId: session.id,
        integrationId,
        psaTicketId: filled.number,
        expectedVersion: session.version,
      },
    });
    if (!done) return;
    forget();
    onClose();
  }

  return (
    <FormDialog
      title="Link a ticket"
      deed="Link"
      deedUnderWay="Looking it up…"
      canSubmit={integrationId !== undefined}
      fields={["integrationId", "psaTicketId"]}
      move={move}
      onSubmit={submit}
      onForget={forget}
      onClose={onClose}
    >
      {fetching && !data && <SkeletonRows count={2} className="h-8" />}
      {error && !data && <Failed what="The ticket systems" error={error} retry={() => load()} />}
      {systems?.length === 0 && (
        <p className="text-ink-2">
          No ticket system is connected. An admin connects one in the settings.
        </p>
      )}
      {systems && systems.length > 0 && (
        <>
          <SelectField
            label="Ticket system"
            value={integrationId}
            onChange={(event) => fill({ chosen: event.target.value })}
            problem={fieldProblem(move.refusal, "integrationId")}
          >
            {systems.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </SelectField>
          <TextField
            label="Number of the ticket"
            hint={session.psaTicketId ? `It takes the place of ${session.psaTicketId}.` : undefined}
            maxLength={100}
            autoComplete="off"
            autoFocus
            value={filled.number}
            onChange={(event) => fill({ number: event.target.value })}
            problem={fieldProblem(move.refusal, "psaTicketId")}
          />
        </>
      )}
    </FormDialog>
  );
}
