import { expect, test } from "vitest";
import { sizesIn } from "./size";

test("a limit in bytes is read as megabytes", () => {
  expect(sizesIn("Must have at most 25,000,000 bytes.")).toBe("Must have at most 25 MB.");
  expect(sizesIn("Must not be empty.")).toBe("Must not be empty.");
});
