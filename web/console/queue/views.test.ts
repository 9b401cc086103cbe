import { expect, test } from "vitest";
import { addressOf, asked, domainsOf, shownOf } from "./views";

test("view and domain stand in the address and are read from it again", () => {
  const shown = { view: "escalated", domain: "mail & groups" } as const;
  expect(shownOf(addressOf(shown))).toEqual(shown);
  expect(addressOf({ view: "all", domain: "" }).toString()).toBe("");
  expect(shownOf(new URLSearchParams("view=nonsense"))).toEqual({ view: "all", domain: "" });
});

test("each view asks for its own", () => {
  expect(asked({ view: "all", domain: "" }, "te_1")).toEqual({});
  expect(asked({ view: "team", domain: "mail" }, "te_1")).toEqual({
    teamId: "te_1",
    domain: "mail",
  });
  expect(asked({ view: "team", domain: "" }, undefined)).toEqual({});
  expect(asked({ view: "parked", domain: "" }, "te_1")).toEqual({ intent: "PARK" });
  expect(asked({ view: "late", domain: "" }, "te_1")).toEqual({
    slaState: ["AT_RISK", "BREACHED"],
  });
});

test("domains come by how many wait, those without one not at all", () => {
  expect(domainsOf(["vpn", null, "mail", "dns", "mail"])).toEqual([
    { domain: "mail", count: 2 },
    { domain: "dns", count: 1 },
    { domain: "vpn", count: 1 },
  ]);
});
