import { expect, test } from "vitest";
import { partOf } from "./prompt-parts";

const heads = (count: number, shared: number, settled: number) =>
  Array.from({ length: count }, (_, place) => partOf(place, shared, settled)).flatMap(
    ({ begin, words }, place) => (begin === place ? [[place, words.split(/[ :]/)[0]]] : []),
  );

test("each stretch of a prompt begins once", () => {
  expect(heads(9, 2, 8)).toEqual([
    [0, "Shared"],
    [2, "Settled"],
    [8, "New"],
  ]);
});

test("a stretch that is empty has no head", () => {
  expect(heads(3, 0, 0)).toEqual([[0, "New"]]);
  expect(heads(3, 2, 2)).toEqual([
    [0, "Shared"],
    [2, "New"],
  ]);
});
