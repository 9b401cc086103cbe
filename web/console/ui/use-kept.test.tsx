import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Identity } from "../../shared/auth";
import { ViewerContext } from "../shell/viewer";
import { useKept } from "./use-kept";

beforeEach(() => sessionStorage.clear());
afterEach(cleanup);

function open(key: string, initial = { reason: "", branch: "a" }, viewerId = "us_1") {
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ViewerContext value={{ id: viewerId } as Identity}>{children}</ViewerContext>
  );
  const { result, unmount } = renderHook(() => useKept(key, () => initial), { wrapper });
  return {
    filled: () => result.current.filled,
    fill: (changes: Partial<typeof initial>) => act(() => result.current.fill(changes)),
    forget: () => act(() => result.current.forget()),
    close: unmount,
  };
}

test("what was typed is there again when the form is", () => {
  const first = open("abandon.s1");
  first.fill({ reason: "The client" });
  first.fill({ reason: "The client has left" });
  first.close();
  expect(open("abandon.s1").filled()).toEqual({ reason: "The client has left", branch: "a" });
});

test("it shows in no other form and to nobody else", () => {
  open("abandon.s1").fill({ reason: "The client has left" });
  for (const other of [open("abandon.s2"), open("give.s1"), open("abandon.s1", undefined, "us_2")])
    expect(other.filled().reason).toBe("");
});

test("nothing is left once it is done or cancelled", () => {
  const first = open("abandon.s1");
  first.fill({ reason: "The client has left" });
  first.forget();
  first.close();
  expect(open("abandon.s1").filled().reason).toBe("");
});

test("what was not touched is as the form begins with now", () => {
  const first = open("resolve.s1");
  first.fill({ reason: "It was DNS" });
  first.close();
  expect(open("resolve.s1", { reason: "", branch: "b" }).filled()).toEqual({
    reason: "It was DNS",
    branch: "b",
  });
});
