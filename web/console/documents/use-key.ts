import { useEffect, useRef } from "react";

/** Pressed anywhere but where one types or chooses. */
export function useKey(key: string, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const isPlain = !event.metaKey && !event.ctrlKey && !event.altKey && !event.defaultPrevented;
      const isElsewhere =
        event.target instanceof Element &&
        event.target.closest("input, textarea, select, [role=dialog], [role=menu], [role=tree]");
      if (event.key === key && isPlain && !isElsewhere) latest.current();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, [key]);
}
