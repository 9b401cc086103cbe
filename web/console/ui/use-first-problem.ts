import { type RefObject, useEffect, useRef } from "react";
import type { Refusal } from "../graph/use-action";

/** For a form: the first field that was refused has the focus. */
export function useFirstProblem(refusal: Refusal | null): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (refusal?.fields.length) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [refusal]);
  return form;
}
