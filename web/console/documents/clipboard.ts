/** Returns what to tell the person if it did not work, else null. */
export async function copyText(text: string): Promise<string | null> {
  try {
    await navigator.clipboard.writeText(text);
    return null;
  } catch {
    return "The browser does not let this page copy. Select the text and copy it by hand.";
  }
}
