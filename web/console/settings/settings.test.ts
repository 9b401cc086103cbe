import { expect, test } from "vitest";
import { filterOf } from "./audit-filters";
import { actionLabel, idsIn, saidOf, valueLabel } from "./audit-words";
import { dateInput, endOfDay, startOfDay } from "./days";
import { connectionOf, newWebhookSecret } from "./providers";
import { draftOf } from "./use-draft";

const SAVED = { name: "Noor", role: "ENGINEER" };

test("what nobody typed over follows what is saved, and only what differs is a change", () => {
  const typed = {
    name: { text: "Noor H.", over: "Noor" },
    role: { text: "LEAD", over: "ENGINEER" },
  };
  const draft = draftOf({ ...SAVED, role: "LEAD" }, { name: typed.name });
  expect(draft.values).toEqual({ name: "Noor H.", role: "LEAD" });
  expect(draft.changes).toEqual({ name: "Noor H." });
  expect(draftOf({ name: "Noor H.", role: "LEAD" }, typed).changes).toEqual({});
});

test("what somebody else has saved meanwhile is told beside what was typed, unless it is the same", () => {
  const typed = { name: { text: "Noor H.", over: "Noor" } };
  expect(draftOf(SAVED, typed).meanwhile("name")).toBeUndefined();
  expect(draftOf({ ...SAVED, name: "N. Haddad" }, typed).meanwhile("name")).toBe("N. Haddad");
  expect(draftOf({ ...SAVED, name: "Noor H." }, typed).meanwhile("name")).toBeUndefined();
  expect(draftOf({ ...SAVED, role: "LEAD" }, typed).meanwhile("role")).toBeUndefined();
});

test("days are the viewer's, and the last one counts whole", () => {
  const noon = new Date(2026, 10, 28, 12);
  const day = dateInput(noon);
  expect(day).toBe("2026-11-28");
  expect(Date.parse(startOfDay(day))).toBeLessThan(noon.getTime());
  expect(endOfDay(day)).toBe(new Date(2026, 10, 29).toISOString());
});

test("a group of actions, one action, or none is filtered by", () => {
  const none = { action: "", actorId: "", from: "", to: "" };
  expect(filterOf(none)).toEqual({ action: null, actorId: null, from: null, to: null });
  expect(filterOf({ ...none, action: "SIGNED_IN" }).action).toEqual(["SIGNED_IN"]);
  expect(filterOf({ ...none, action: "Sign-ins" }).action).toContain("REFRESH_TOKEN_REUSED");
});

test("an entry is a sentence around what it is about", () => {
  expect(saidOf("SIGNED_IN")).toEqual({ before: "signed in", after: undefined });
  expect(saidOf("SIGN_IN_REFUSED")).toEqual({
    before: "tried to sign in as",
    after: " and was refused",
  });
  expect(actionLabel("MEMBER_ADDED")).toBe("Added the member");
});

test("values of enums are said in words, what people wrote is left as it is", () => {
  expect(valueLabel("DEAD_END")).toBe("dead end");
  expect(valueLabel("READ WRITE")).toBe("read write");
  expect(valueLabel("Outlook 2019")).toBe("Outlook 2019");
});

test("of changed values those that are ids are asked for once", () => {
  const id = `us_${"0".repeat(32)}`;
  const changes = [
    { before: id, after: null },
    { before: "Noor", after: id },
  ];
  expect(idsIn([{ changes }, { changes }])).toEqual([id]);
});

test("a connection holds what was entered under its system's name, or is not sent", () => {
  expect(connectionOf("IT_GLUE", {})).toBeUndefined();
  expect(connectionOf("IT_GLUE", { apiKey: "k" })).toEqual({ itGlue: { apiKey: "k" } });
});

test("a webhook's secret is of a length that the server takes", () => {
  const [prefix, key] = newWebhookSecret().split("_");
  expect(prefix).toBe("whsec");
  expect(atob(key ?? "")).toHaveLength(32);
});
