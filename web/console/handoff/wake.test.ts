import { expect, test } from "vitest";
import { localInput, tomorrowAtEight } from "./wake";

test("tomorrow at eight is by the clock on the wall, over the end of a year", () => {
  expect(localInput(tomorrowAtEight(new Date(2026, 11, 31, 23, 59)))).toBe("2027-01-01T08:00");
});

test("what the input shows is the time that was meant", () => {
  const date = new Date(2026, 2, 29, 3, 5);
  expect(new Date(localInput(date)).getTime()).toBe(date.getTime());
});
