import { renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useLease } from "./use-lease";

const keep = vi.hoisted(() => vi.fn());
vi.mock("urql", () => ({ useMutation: () => [null, keep] }));

function show(isVisible: boolean): void {
  const state = isVisible ? "visible" : "hidden";
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
  show(true);
});

afterEach(() => {
  vi.useRealTimers();
  keep.mockReset();
});

test("a page that is seen beats at once and then every minute, until it is left", () => {
  const { unmount } = renderHook(() => useLease("ha_1"));
  expect(keep).toHaveBeenCalledExactlyOnceWith({ input: { handoffId: "ha_1" } });
  vi.advanceTimersByTime(120_000);
  expect(keep).toHaveBeenCalledTimes(3);
  unmount();
  vi.advanceTimersByTime(120_000);
  expect(keep).toHaveBeenCalledTimes(3);
});

test("nobody is there while the page is hidden, and at once when it is seen again", () => {
  const { unmount } = renderHook(() => useLease("ha_1"));
  show(false);
  vi.advanceTimersByTime(300_000);
  expect(keep).toHaveBeenCalledTimes(1);
  show(true);
  expect(keep).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(60_000);
  expect(keep).toHaveBeenCalledTimes(3);
  unmount();
});

test("without a claim nothing beats, and after one has ended no more", () => {
  const { rerender, unmount } = renderHook(({ id }) => useLease(id), {
    initialProps: { id: null as string | null },
  });
  vi.advanceTimersByTime(120_000);
  expect(keep).not.toHaveBeenCalled();
  rerender({ id: "ha_1" });
  rerender({ id: null });
  vi.advanceTimersByTime(120_000);
  expect(keep).toHaveBeenCalledTimes(1);
  unmount();
});
