import { createContext, useContext } from "react";

const FileNames = createContext<readonly string[]>([]);
/** Of the files of the session that is told of. */
export const FileNamesProvider = FileNames.Provider;

/** What is told, with the names of files set apart: how a name is read says nothing of the text around it. */
export function Told({ children }: { children: string }) {
  const longestFirst = useContext(FileNames).toSorted((a, b) => b.length - a.length);
  return apart(children, longestFirst).map(({ isName, text }, place) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: a part is known by its place
    isName ? <bdi key={place}>{text}</bdi> : text,
  );
}

function apart(
  text: string,
  [name, ...others]: readonly string[],
): { isName: boolean; text: string }[] {
  if (!name) return [{ isName: false, text }];
  return text
    .split(name)
    .flatMap((between, place) => [
      ...(place > 0 ? [{ isName: true, text: name }] : []),
      ...apart(between, others),
    ]);
}
