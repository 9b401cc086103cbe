import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Markdown } from "./markdown";

afterEach(cleanup);

test("a link that would run a script is its text alone", () => {
  render(
    <Markdown text="[the log](javascript:alert(1)) and [the page](https://client.example/)" />,
  );
  expect(screen.getAllByRole("link").map(({ textContent }) => textContent)).toEqual(["the page"]);
  expect(screen.getByText(/the log/)).toBeTruthy();
});
