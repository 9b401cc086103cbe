import { expect, test } from "vitest";
import { type Change, changed, isUnderWay, NO_UPLOADS, type UploadList } from "./upload-list";

const files = (...keys: string[]) => keys.map((key) => ({ key, file: new File(["x"], key) }));

function after(...changes: Change[]): UploadList {
  return changes.reduce(changed, NO_UPLOADS);
}

test("a file is on its way until it is stored or has failed, and again when it is retried", () => {
  const added: Change = { type: "added", files: files("a") };
  const failed: Change = { type: "failed", key: "a", problem: "Too large." };
  expect(after(added).uploads.map(isUnderWay)).toEqual([true]);
  expect(after(added, { type: "stored", key: "a", id: "up_1" }).uploads).toMatchObject([
    { id: "up_1", problem: null },
  ]);
  expect(after(added, failed).uploads).toMatchObject([{ id: null, problem: "Too large." }]);
  expect(after(added, failed, { type: "retried", key: "a" }).uploads.map(isUnderWay)).toEqual([
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

test("the eleventh file is left out and counted, until there is room", () => {
  const ten = files(..."abcdefghij");
  const full = after({ type: "added", files: ten }, { type: "added", files: files("k", "l") });
  expect(full.uploads).toHaveLength(10);
  expect(full.leftOut).toBe(2);
  const removed = changed(full, { type: "removed", key: "a" });
  expect(removed.leftOut).toBe(0);
  const again = changed(removed, { type: "added", files: files("k") });
  expect(again.uploads.at(-1)?.key).toBe("k");
});
