import { expect, test } from "vitest";
import {
  type Change,
  changed,
  isUnderWay,
  listOf,
  mayBeSentAgain,
  NO_UPLOADS,
  storedOf,
  type UploadList,
} from "./upload-list";

const files = (...keys: string[]) => keys.map((key) => ({ key, file: new File(["x"], key) }));

function after(...changes: Change[]): UploadList {
  return changes.reduce(changed, NO_UPLOADS);
}

function failed(key: string, isHopeless = false): Change {
  return { type: "failed", key, problem: "Too large.", isHopeless };
}

test("a file is on its way until it is stored or has failed, and again when it is retried", () => {
  const added: Change = { type: "added", files: files("a") };
  expect(after(added).uploads.map(isUnderWay)).toEqual([true]);
  expect(after(added, { type: "stored", key: "a", id: "up_1" }).uploads).toMatchObject([
    { id: "up_1", problem: null },
  ]);
  expect(after(added, failed("a")).uploads).toMatchObject([{ id: null, problem: "Too large." }]);
  expect(after(added, failed("a"), { type: "retried", key: "a" }).uploads.map(isUnderWay)).toEqual([
    true,
  ]);
});

test("what comes for a file that was removed changes nothing", () => {
  const { uploads } = after(
    { type: "added", files: files("a", "b") },
    { type: "removed", key: "a" },
    { type: "stored", key: "a", id: "up_1" },
  );
  expect(uploads.map(({ key, id }) => [key, id])).toEqual([["b", null]]);
});

test("the eleventh file is left out and named, until there is room", () => {
  const ten = files(..."abcdefghij");
  const full = after({ type: "added", files: ten }, { type: "added", files: files("k", "l") });
  expect(full.uploads).toHaveLength(10);
  expect(full.leftOut).toEqual(["k", "l"]);
  const removed = changed(full, { type: "removed", key: "a" });
  expect(removed.leftOut).toEqual([]);
  const again = changed(removed, { type: "added", files: files("k") });
  expect(again.uploads.at(-1)?.key).toBe("k");
});

test("a refused file takes no room, and is sent again only while there is some", () => {
  const refused = after({ type: "added", files: files(..."abcdefghij") }, failed("a"));
  const isRetriable = ({ uploads }: UploadList) =>
    uploads.some((upload) => mayBeSentAgain(upload, uploads));
  expect(isRetriable(refused)).toBe(true);
  const full = changed(refused, { type: "added", files: files("k") });
  expect(full.leftOut).toEqual([]);
  expect(isRetriable(full)).toBe(false);
});

test("what sending again cannot help is not sent again", () => {
  const { uploads } = after(
    { type: "added", files: files("a", "b") },
    failed("a"),
    failed("b", true),
  );
  expect(uploads.map((upload) => mayBeSentAgain(upload, uploads))).toEqual([true, false]);
});

test("only what is stored is kept, and is there again", () => {
  const { uploads } = after(
    { type: "added", files: files("a", "b", "c") },
    { type: "stored", key: "a", id: "up_1" },
    failed("b"),
  );
  const stored = storedOf(uploads);
  expect(stored).toEqual([{ id: "up_1", name: "a", bytes: 1 }]);
  expect(storedOf(listOf(stored).uploads)).toEqual(stored);
});
