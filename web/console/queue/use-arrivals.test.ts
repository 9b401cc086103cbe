import { expect, test } from "vitest";
import type { QueueRowFragment } from "./operations";
import { inOneSentence } from "./use-arrivals";

function arrived(changes: Partial<QueueRowFragment> = {}): QueueRowFragment {
  return {
    intent: "ESCALATE",
    priority: "NORMAL",
    session: { problemSummary: "Mail bounces", intake: { text: "…" } },
    ...changes,
  } as QueueRowFragment;
}

test("one arrival is told by its problem, several by their number", () => {
  expect(inOneSentence([arrived()])).toBe("Escalated: Mail bounces");
  expect(inOneSentence([arrived({ priority: "ELEVATED" })])).toBe(
    "Escalated, elevated: Mail bounces",
  );
  expect(inOneSentence([arrived(), arrived({ intent: "PARK" })])).toBe("2 more are waiting.");
});
