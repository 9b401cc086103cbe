import { useState } from "react";
import { useViewer } from "../shell/viewer";

export interface Kept<Filled> {
  filled: Filled;
  fill: (changes: Partial<Filled>) => void;
  /** Once the deed is done, or the viewer has cancelled it: nothing is left for the next time. */
  forget: () => void;
}

/** What is typed into a form, kept in this window until it is forgotten, also where the form is closed or the
 * page is loaded again. `key` names the form and what it is about; what the viewer has not touched begins anew. */
export function useKept<Filled extends object>(key: string, initial: () => Filled): Kept<Filled> {
  const place = `flowpilot.kept.${useViewer().id}.${key}`;
  const [untouched] = useState(initial);
  const [touched, setTouched] = useState<Partial<Filled>>(() =>
    JSON.parse(sessionStorage.getItem(place) ?? "{}"),
  );
  return {
    filled: { ...untouched, ...touched },
    fill(changes) {
      const changed = { ...touched, ...changes };
      sessionStorage.setItem(place, JSON.stringify(changed));
      setTouched(changed);
    },
    forget: () => sessionStorage.removeItem(place),
  };
}
