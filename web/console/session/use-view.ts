import { useMemo } from "react";
import { useSearchParams } from "wouter";

export const VIEWS = ["talk", "documents", "compare", "timeline"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface View {
  name: ViewName;
  /** The branch that the shown one is compared with. */
  comparedId: string | null;
  show: (name: ViewName, comparedId?: string) => void;
  /** Once a session is resolved one wants to see what it leaves behind. */
  onMoved: (status: string) => void;
}

/** What stands in the middle of the page; it is part of its address. */
export function useView(): View {
  const [params, setParams] = useSearchParams();
  const name = VIEWS.find((each) => each === params.get("view")) ?? "talk";
  const comparedId = params.get("with");
  return useMemo(() => {
    const show = (to: ViewName, withId?: string): void =>
      setParams((before) => {
        before.delete("view");
        before.delete("with");
        if (to !== "talk") before.set("view", to);
        if (withId) before.set("with", withId);
        return before;
      });
    return {
      name,
      comparedId,
      show,
      onMoved: (status) => status === "RESOLVED" && show("documents"),
    };
  }, [name, comparedId, setParams]);
}
