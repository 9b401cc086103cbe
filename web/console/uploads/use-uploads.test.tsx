import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { Client, fetchExchange, Provider } from "urql";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Identity } from "../../shared/auth";

const answers: ((answer: unknown) => void)[] = [];
const client = new Client({
  url: "http://flowpilot.example/graphql",
  preferGetMethod: false,
  exchanges: [fetchExchange],
  fetch: () =>
    new Promise((resolve) => {
      answers.push((uploadFile) => resolve(Response.json({ data: { uploadFile } })));
    }),
});

beforeEach(() => {
  localStorage.clear();
  answers.length = 0;
});
afterEach(cleanup);

/** A page that was just loaded: it knows what the browser has kept, and nothing else. */
async function load() {
  vi.resetModules();
  const { useUploads } = await import("./use-uploads");
  const { ViewerContext } = await import("../shell/viewer");
  return (at: string) =>
    renderHook(() => useUploads(at), {
      wrapper: ({ children }: { children: ReactNode }) => (
        <ViewerContext value={{ id: "us_1" } as Identity}>
          <Provider value={client}>{children}</Provider>
        </ViewerContext>
      ),
    });
}

async function answer(answered: unknown): Promise<void> {
  await act(async () => {
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    answers.pop()?.(answered);
    await new Promise((resolve) => setTimeout(resolve));
  });
}

const stored = { __typename: "UploadFileSuccess", upload: { id: "up_1" } };
const log = new File(["x"], "mail.log");

test("a file goes on while one looks at another branch, and is there again after a reload", async () => {
  const look = await load();
  const first = look("br_1");
  act(() => first.result.current.add([log]));
  first.unmount();
  expect(look("br_2").result.current.uploads).toEqual([]);
  await answer(stored);
  expect(look("br_1").result.current.ids).toEqual(["up_1"]);

  const reloaded = (await load())("br_1");
  expect(reloaded.result.current.uploads).toMatchObject([
    { name: "mail.log", bytes: 1, id: "up_1" },
  ]);
  act(() => reloaded.result.current.clear());
  expect((await load())("br_1").result.current.uploads).toEqual([]);
});

test("what the server does not take is said in megabytes, and not sent again", async () => {
  const { result } = (await load())("br_1");
  act(() => result.current.add([log]));
  const message = "Must have at most 25,000,000 bytes.";
  await answer({
    __typename: "InvalidInputError",
    message: `file: ${message}`,
    fields: [{ path: ["file"], message }],
  });
  expect(result.current.uploads).toMatchObject([
    { problem: "Must have at most 25 MB.", file: null, id: null },
  ]);
  expect(result.current.isBusy).toBe(false);
});
