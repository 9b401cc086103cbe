import { expect, test } from "vitest";
import type { Refusal } from "../graph/use-action";
import { besideFields } from "./states";

const refusal: Refusal = {
  kind: "InvalidInputError",
  message: "name: Too long. other: Too much.",
  fields: [
    { path: "name", message: "Too long." },
    { path: "other", message: "Too much." },
  ],
};

test("what stands at the fields is not said again, the rest is", () => {
  expect(besideFields(refusal, ["name", "other"])).toBe("Look at the marked fields.");
  expect(besideFields(refusal, ["name"])).toBe("Too much.");
});

test("what is about no field of the form is said as the server does", () => {
  expect(besideFields(refusal, [])).toBe(refusal.message);
  expect(besideFields({ ...refusal, message: "Not yours.", fields: [] }, ["name"])).toBe(
    "Not yours.",
  );
});
