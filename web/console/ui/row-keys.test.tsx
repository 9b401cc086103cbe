import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useRef } from "react";
import { afterEach, expect, test } from "vitest";
import { ROW_LINK, useRowKeys } from "./row-keys";
import { chooseShortcuts } from "./shortcuts";

function Rows() {
  const table = useRef<HTMLTableElement>(null);
  useRowKeys(table);
  return (
    <>
      <input aria-label="Search" />
      <table ref={table}>
        <tbody>
          {["a", "b", "c"].map((name) => (
            <tr key={name}>
              <td>
                <a {...ROW_LINK} href={`/${name}`}>
                  {name}
                </a>
                <button type="button">Claim {name}</button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

Element.prototype.scrollIntoView = () => {};

function press(...keys: string[]): string | null | undefined {
  for (const key of keys) fireEvent.keyDown(document.activeElement ?? document.body, { key });
  return document.activeElement?.textContent;
}

afterEach(() => {
  cleanup();
  localStorage.clear();
});

test("j and k walk the rows, from anywhere on the page, and stop at the ends", () => {
  render(<Rows />);
  expect(press("j")).toBe("a");
  expect(press("j", "j", "j")).toBe("c");
  expect(press("k")).toBe("b");
});

test("the arrow keys walk once one stands on a row, also on its button", () => {
  render(<Rows />);
  press("ArrowDown");
  expect(document.activeElement).toBe(document.body);
  screen.getByRole("button", { name: "Claim a" }).focus();
  expect(press("ArrowDown")).toBe("b");
  expect(press("ArrowUp")).toBe("a");
});

test("nothing moves while somebody types, or has switched single keys off", () => {
  render(<Rows />);
  const search = screen.getByLabelText("Search");
  search.focus();
  press("j");
  expect(document.activeElement).toBe(search);
  search.blur();
  chooseShortcuts(false);
  press("j");
  expect(document.activeElement).toBe(document.body);
});
