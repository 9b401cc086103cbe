import { expect, test } from "vitest";
import { offersFor, recipientsIn, whyNoTicket } from "./destinations";

const ticket = { psaTicketId: "1000", integration: { id: "i1", name: "Desk", isEnabled: true } };

const integrations = (
  [
    ["CONNECTWISE", true],
    ["HUDU", true],
    ["SMTP", true],
    ["WEBHOOK", false],
  ] as const
).map(([provider, isEnabled]) => ({
  id: provider,
  provider,
  name: provider,
  isEnabled,
  pausedUntil: null,
}));

const keys = (...asked: Parameters<typeof offersFor>) => offersFor(...asked).map(({ key }) => key);

test("articles go to libraries, too, and nothing goes through what is switched off", () => {
  expect(keys("KNOWLEDGE_BASE", ticket, integrations)).toEqual([
    "PSA",
    "KB_LIBRARY",
    "HUDU",
    "SMTP",
    "CLIPBOARD",
  ]);
  expect(keys("PSA_TICKET_NOTES", ticket, integrations)).toEqual(["PSA", "SMTP", "CLIPBOARD"]);
});

test("without a ticket that can be written to, it says why", () => {
  const nowhere = { psaTicketId: "T-1", integration: null };
  expect(keys("CLIENT_SUMMARY", nowhere, [])).toEqual(["CLIPBOARD"]);
  expect(whyNoTicket(nowhere)).toContain("T-1");
  expect(whyNoTicket({ psaTicketId: null, integration: null })).toContain("No ticket");
  expect(whyNoTicket(ticket)).toBeNull();
});

test("recipients are read as people paste them", () => {
  expect(recipientsIn(" a@x.example, b@x.example;\nc@x.example ")).toEqual([
    "a@x.example",
    "b@x.example",
    "c@x.example",
  ]);
});
