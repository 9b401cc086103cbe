import { expect, test } from "vitest";
import type { Identity, Role } from "../../shared/auth";
import { isWriter, mayWrite } from "./access";

const viewer = (role: Role | null, id = "me") => ({ id, role }) as Identity;
const session = (status: string, assignee: string) => ({ status, assignee: { id: assignee } });

test("the assignee writes, and leads, admins and keys do", () => {
  const others = session("ACTIVE", "other");
  expect(isWriter(session("ACTIVE", "me"), viewer("ENGINEER"))).toBe(true);
  expect(isWriter(others, viewer("ENGINEER"))).toBe(false);
  expect(isWriter(others, viewer("LEAD"))).toBe(true);
  expect(isWriter(others, viewer("ADMIN"))).toBe(true);
  expect(isWriter(others, viewer(null))).toBe(true);
});

test("what is over is only written about", () => {
  const resolved = session("RESOLVED", "me");
  expect(mayWrite(resolved, viewer("ADMIN"))).toBe(false);
  expect(isWriter(resolved, viewer("ENGINEER"))).toBe(true);
  expect(mayWrite(session("PAUSED", "me"), viewer("ENGINEER"))).toBe(true);
});
