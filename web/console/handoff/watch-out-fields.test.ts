import { expect, test } from "vitest";
import { watchOutPath, watchOutTexts } from "./watch-out-fields";

test("empty entries are not sent, and a refusal finds the entry that it is about", () => {
  const entries = ["", "old line", "  ", "DKIM"].map((text, id) => ({ id, text }));
  expect(watchOutTexts(entries)).toEqual(["old line", "DKIM"]);
  expect(watchOutPath(entries, 3)).toBe("watchOut.1");
});
