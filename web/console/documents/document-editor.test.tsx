import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { Client, fetchExchange, Provider } from "urql";
import { afterEach, expect, test, vi } from "vitest";
import { DocumentEditor } from "./document-editor";
import type { WholeDocumentFragment } from "./operations";

afterEach(cleanup);

const saved = vi.fn<(variables: unknown) => void>();
const client = new Client({
  url: "http://flowpilot.example/graphql",
  preferGetMethod: false,
  exchanges: [fetchExchange],
  fetch: (_, init) => {
    saved(JSON.parse(String(init?.body)).variables.input);
    return new Promise(() => {});
  },
});

function show(content: string, draft: { text: string; base: string }) {
  const document = {
    id: "o1",
    content,
    version: 7,
    status: "DRAFT",
    revisions: [
      { version: 7, createdAt: "2026-01-01T10:00:00Z", author: { id: "u", displayName: "Ada" } },
    ],
  } as unknown as WholeDocumentFragment;
  const nothing = () => {};
  render(
    <Provider value={client}>
      <DocumentEditor
        document={document}
        draft={draft}
        onChange={nothing}
        onSaved={nothing}
        onDiscard={nothing}
        onStale={nothing}
      />
    </Provider>,
  );
}

test("Ctrl and Enter save over the version that was seen", async () => {
  show("one", { text: "one, two", base: "one" });
  fireEvent.keyDown(screen.getByRole("textbox"), { key: "Enter", ctrlKey: true });
  await vi.waitFor(() =>
    expect(saved).toHaveBeenLastCalledWith({
      outputId: "o1",
      content: "one, two",
      expectedVersion: 7,
    }),
  );
});

test("another text saved meanwhile is shown before it is written over", () => {
  saved.mockClear();
  show("one, three", { text: "one, two", base: "one" });
  expect(screen.getByText(/Ada has saved another/)).toBeTruthy();
  expect(screen.getByRole("list", { name: "From the saved text to yours" })).toBeTruthy();
  fireEvent.keyDown(screen.getByRole("textbox"), { key: "Enter", ctrlKey: true });
  expect(saved).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("button", { name: "Keep mine" }));
  return vi.waitFor(() => expect(saved).toHaveBeenCalledOnce());
});
