import { expect, test } from "vitest";
import { readable } from "./readable";

test("JSON gets line breaks and keeps what it says", () => {
  const body = '{"id":9007199254740993,"text":"a \\"b\\": {1, 2}","list":[1.50,true],"none":{}}';
  expect(readable(body)).toEqual([
    {
      isText: false,
      text: [
        "{",
        '  "id": 9007199254740993,',
        '  "text": "a \\"b\\": {1, 2}",',
        '  "list": [',
        "    1.50,",
        "    true",
        "  ],",
        '  "none": {}',
        "}",
      ].join("\n"),
    },
  ]);
});

test("a text of several lines reads as such between its quotes", () => {
  expect(readable('{"note":{"text":"Gr\\u00fc\\u00dfe:\\n\\n- \\"one\\"","sent":true}}')).toEqual([
    { isText: false, text: '{\n  "note": {\n    "text": "' },
    { isText: true, text: 'Grüße:\n\n- "one"' },
    { isText: false, text: '    ",\n    "sent": true\n  }\n}' },
  ]);
});

test("everything else reads as it is", () => {
  expect(readable("From: a\n\n{not json}")).toBeNull();
});
