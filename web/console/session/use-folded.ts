import { useCallback, useState } from "react";

/** Which branches are folded on the map; remembered for each session. */
export function useFolded(sessionId: string): {
  folded: ReadonlySet<string>;
  fold: (branchId: string, isFolded: boolean) => void;
} {
  const key = `flowpilot.folded.${sessionId}`;
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => {
    const kept = JSON.parse(localStorage.getItem(key) ?? "[]") as string[];
    return new Set(kept);
  });
  const fold = useCallback(
    (branchId: string, isFolded: boolean) =>
      setFolded((before) => {
        const after = new Set(before);
        if (isFolded) after.add(branchId);
        else after.delete(branchId);
        localStorage.setItem(key, JSON.stringify([...after]));
        return after;
      }),
    [key],
  );
  return { folded, fold };
}
