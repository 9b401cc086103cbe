import { expect, test } from "vitest";
import { says } from "./step-card";

test("words are found whatever Markdown stands around them", () => {
  expect(says("Run `dsregcmd /status` and look at **AzureAdPrt**.", "run dsregcmd /status")).toBe(
    true,
  );
  expect(says("- Check the MX record?\n- And SPF?", "Check the MX record? - And SPF?")).toBe(true);
  expect(says("Check the MX record.", "Check the SPF record.")).toBe(false);
});
