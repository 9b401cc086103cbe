import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { FileNamesProvider, Told } from "./file-names";

afterEach(cleanup);

function told(text: string, names: string[]): string {
  const { container } = render(
    <FileNamesProvider value={names}>
      <Told>{text}</Told>
    </FileNamesProvider>,
  );
  return container.innerHTML;
}

test("names of files are set apart wherever they stand", () => {
  expect(told("سجل الخادم.log: an error, see سجل الخادم.log", ["سجل الخادم.log"])).toBe(
    "<bdi>سجل الخادم.log</bdi>: an error, see <bdi>سجل الخادم.log</bdi>",
  );
  expect(told("It answers (a.b).", ["other.log"])).toBe("It answers (a.b).");
});

test("a name within another one is not taken out of it", () => {
  expect(told("old-a.log and a.log", ["a.log", "old-a.log"])).toBe(
    "<bdi>old-a.log</bdi> and <bdi>a.log</bdi>",
  );
});
