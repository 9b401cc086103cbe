import { expect, test } from "vitest";
import { indented } from "./indented";

test("JSON gets line breaks and keeps every token", () => {
  const body = '{"id":9007199254740993,"text":"a \\"b\\": {1, 2}","list":[1.50,true],"none":{}}';
  const text = indented(body);
  expect(text).toContain('\n  "id": 9007199254740993,\n  "text": "a \\"b\\": {1, 2}",');
  expect(text).toContain("1.50,");
  expect(text).toContain('"none": {}');
  expect(
    text
      .split("\n")
      .map((line) => line.trim())
      .join("")
      .replace(/": /g, '":'),
  ).toBe(body.replace(/": /g, '":'));
});

test("everything else stays to the letter", () => {
  expect(indented("From: a\n\n{not json}")).toBe("From: a\n\n{not json}");
});
