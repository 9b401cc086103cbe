import { useState } from "react";
import { useViewer } from "../shell/viewer";

/** What somebody types into a document, kept in the browser until it is saved. */
export interface Draft {
  text: string;
  /** The text that it was begun from. */
  base: string;
}

export function useDraft(documentId: string): {
  draft: Draft | null;
  keep: (draft: Draft | null) => void;
} {
  const key = `flowpilot.document.${useViewer().id}.${documentId}`;
  const [draft, setDraft] = useState<Draft | null>(() =>
    JSON.parse(localStorage.getItem(key) ?? "null"),
  );
  return {
    draft,
    keep: (changed) => {
      setDraft(changed);
      if (changed) localStorage.setItem(key, JSON.stringify(changed));
      else localStorage.removeItem(key);
    },
  };
}
