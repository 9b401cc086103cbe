import { expect, test } from "vitest";
import { withoutNotes } from "./without-notes";

const NOTES = "Two of us looked at it.\nThe hoster calls back.";

test("notes that a briefing repeats on lines of their own are left out of it", () => {
  const briefing = `Problem: No mail.\nNotes: ${NOTES}\nPut together from the record.`;
  expect(withoutNotes(briefing, NOTES)).toBe("Problem: No mail.\nPut together from the record.");
  expect(withoutNotes(`Problem: No mail.\nNotes: ${NOTES}`, NOTES)).toBe("Problem: No mail.");
});

test("what a briefing says in its own words stays whole", () => {
  const briefing = "No mail, says the client, who waits.";
  expect(withoutNotes(briefing, "the client")).toBe(briefing);
  expect(withoutNotes(briefing, "No mail")).toBe(briefing);
  expect(withoutNotes(briefing, null)).toBe(briefing);
});
