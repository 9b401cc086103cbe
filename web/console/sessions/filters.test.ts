import { expect, test } from "vitest";
import { addressOf, asked, filtersOf, isFiltered } from "./filters";

const read = (address: string) => filtersOf(new URLSearchParams(address));

test("filters stand in the address and are read from it again", () => {
  const address = "status=active%2Cpaused&whose=team&assignee=us_1&q=vpn+-printer";
  expect(read(address)).toEqual({
    status: ["ACTIVE", "PAUSED"],
    whose: "team",
    assigneeId: "us_1",
    search: "vpn -printer",
  });
  expect(addressOf(read(address), new URLSearchParams()).toString()).toBe(address);
});

test("what the address does not say does not filter, nor does nonsense", () => {
  expect(isFiltered(read(""))).toBe(false);
  expect(isFiltered(read("status=lost&whose=theirs&q=+"))).toBe(false);
  expect(addressOf(read(""), new URLSearchParams("status=active")).toString()).toBe("");
});

test("what else the address says stays", () => {
  expect(addressOf(read("whose=mine"), new URLSearchParams("new=")).toString()).toBe(
    "new=&whose=mine",
  );
});

test("mine is the viewer's, whoever the address names beside it", () => {
  expect(asked(read("whose=mine&assignee=us_2"), { id: "us_1", teamId: "te_1" })).toEqual({
    assigneeId: "us_1",
  });
});

test("the team's is asked of those who are in one", () => {
  const filters = read("whose=team&assignee=us_2");
  expect(asked(filters, { id: "us_1", teamId: "te_1" })).toEqual({
    assigneeId: "us_2",
    teamId: "te_1",
  });
  expect(asked(filters, { id: "us_1", teamId: undefined })).toEqual({ assigneeId: "us_2" });
});
