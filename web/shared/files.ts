interface Operation {
  variables?: unknown;
}

/** In the variables of an operation it stands for a file, which the browser then asks for. */
export const CHOOSE_FILE = "<choose a file>";

/** The operation with the file that was chosen in its variables, if it wants one. */
export async function withChosenFile<Wanted extends Operation>(operation: Wanted): Promise<Wanted> {
  if (!find(operation.variables, isWanted)) return operation;
  const file = await choose();
  return { ...operation, variables: replaced(operation.variables, file) };
}

/** As a GraphQL multipart request, if there is a file in its variables. */
export function multipart(operation: Operation): FormData | null {
  const found = find(operation.variables, isFile);
  if (!found) return null;
  const form = new FormData();
  const plain = (_: string, value: unknown): unknown => (isFile(value) ? null : value);
  form.set("operations", JSON.stringify(operation, plain));
  form.set("map", JSON.stringify({ file: [`variables.${found.path.join(".")}`] }));
  form.set("file", found.value);
  return form;
}

function isWanted(value: unknown): value is string {
  return value === CHOOSE_FILE;
}

function isFile(value: unknown): value is File {
  return value instanceof File;
}

interface Found<Value> {
  path: string[];
  value: Value;
}

function find<Value>(
  inside: unknown,
  isIt: (value: unknown) => value is Value,
  path: string[] = [],
): Found<Value> | null {
  if (isIt(inside)) return { path, value: inside };
  if (typeof inside !== "object" || inside === null) return null;
  for (const [name, value] of Object.entries(inside)) {
    const found = find(value, isIt, [...path, name]);
    if (found) return found;
  }
  return null;
}

function replaced(inside: unknown, file: File): unknown {
  if (isWanted(inside)) return file;
  if (Array.isArray(inside)) return inside.map((value) => replaced(value, file));
  if (typeof inside !== "object" || inside === null) return inside;
  const entries = Object.entries(inside).map(([name, value]) => [name, replaced(value, file)]);
  return Object.fromEntries(entries);
}

/** By the browser's own dialog. */
function choose(): Promise<File> {
  const input = document.createElement("input");
  input.type = "file";
  return new Promise((resolve, reject) => {
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) resolve(file);
    });
    input.addEventListener("cancel", () => reject(new Error("No file was chosen.")));
    input.click();
  });
}
