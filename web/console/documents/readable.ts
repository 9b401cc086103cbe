/** A part of a body that is laid out to be read: its syntax, or a text of several lines without its escapes. */
export interface Part {
  isText: boolean;
  text: string;
}

/** JSON with line breaks and spaces between its tokens, and each string as it reads: one with line breaks is
 * a part of its own. Null for any other body, which reads as it is. */
export function readable(body: string): Part[] | null {
  if (!isJson(body)) return null;
  const parts: Part[] = [];
  let syntax = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of body.matchAll(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    if (token === "{" || token === "[") {
      depth += 1;
      syntax += token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      syntax += line() + token;
    } else if (token === ",") syntax += token + line();
    else if (token === ":") syntax += ": ";
    else if (token.startsWith('"')) {
      const text = JSON.parse(token) as string;
      if (text.includes("\n")) {
        parts.push({ isText: false, text: `${syntax}"` }, { isText: true, text });
        syntax = `${"  ".repeat(depth)}"`;
      } else syntax += JSON.stringify(text);
    } else syntax += token;
  }
  parts.push({ isText: false, text: syntax });
  return parts;
}

function isJson(body: string): boolean {
  try {
    return typeof JSON.parse(body) === "object";
  } catch {
    return false;
  }
}
