import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { submitByKey } from "./submit-key";

afterEach(cleanup);

function show(isDisabled: boolean) {
  const sent = vi.fn((event: React.FormEvent) => event.preventDefault());
  render(
    <form onSubmit={sent} onKeyDown={submitByKey}>
      <textarea />
      <button type="submit" disabled={isDisabled}>
        Send
      </button>
    </form>,
  );
  return { sent, field: screen.getByRole("textbox") };
}

test("Ctrl or Cmd with Enter sends the form, Enter alone does not", () => {
  const { sent, field } = show(false);
  fireEvent.keyDown(field, { key: "Enter" });
  expect(sent).not.toHaveBeenCalled();
  fireEvent.keyDown(field, { key: "Enter", ctrlKey: true });
  fireEvent.keyDown(field, { key: "Enter", metaKey: true });
  expect(sent).toHaveBeenCalledTimes(2);
});

test("it does no more than the button would", () => {
  const { sent, field } = show(true);
  fireEvent.keyDown(field, { key: "Enter", ctrlKey: true });
  expect(sent).not.toHaveBeenCalled();
});
