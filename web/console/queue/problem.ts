import type { QueueRowFragment } from "./operations";

/** In a line: the summary, or how the intake begins until there is one. */
export function problemOf({ session }: QueueRowFragment): string {
  return session.problemSummary ?? session.intake.text.slice(0, 120);
}
