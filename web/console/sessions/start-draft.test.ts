import { beforeEach, expect, test } from "vitest";
import { EMPTY_DRAFT, forgetDraft, inputOf, keepDraft, keptDraft } from "./start-draft";

const FULL = {
  ...EMPTY_DRAFT,
  text: "No mail since noon.",
  ticket: " 1000 ",
  integrationId: "in_1",
  alert: "A-7",
};

beforeEach(() => localStorage.clear());

test("what was typed for another beginning is not sent", () => {
  expect(inputOf(FULL, ["up_1"])).toMatchObject({
    intake: { type: "FREE_TEXT", text: "No mail since noon.", reference: null },
    psaTicketId: null,
    integrationId: null,
    uploadIds: ["up_1"],
  });
  expect(inputOf({ ...FULL, from: "ALERT" }, [])).toMatchObject({
    intake: { reference: "A-7" },
    psaTicketId: null,
    integrationId: null,
  });
});

test("a ticket is sent with its system, a system never without a ticket", () => {
  expect(inputOf({ ...FULL, from: "PSA_TICKET" }, [])).toMatchObject({
    intake: { type: "PSA_TICKET", reference: "1000" },
    psaTicketId: "1000",
    integrationId: "in_1",
  });
  expect(inputOf({ ...FULL, from: "PSA_TICKET", ticket: " " }, [])).toMatchObject({
    psaTicketId: null,
    integrationId: null,
  });
});

test("a draft is its writer's and is kept until it is forgotten", () => {
  keepDraft("us_1", FULL);
  expect(keptDraft("us_1")).toEqual(FULL);
  expect(keptDraft("us_2")).toEqual(EMPTY_DRAFT);
  forgetDraft("us_1");
  expect(keptDraft("us_1")).toEqual(EMPTY_DRAFT);
});

test("what cannot be read is no draft", () => {
  localStorage.setItem("flowpilot.start.us_1", "{");
  expect(keptDraft("us_1")).toEqual(EMPTY_DRAFT);
});
