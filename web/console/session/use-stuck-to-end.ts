import { type RefObject, useEffect, useRef } from "react";

const NEAR = 80;

/** Keeps the end in sight while it grows, if it was in sight; else nothing moves. Another `place` begins at its
 * end, or else at its top. */
export function useStuckToEnd(
  place: string,
  beginsAtEnd: boolean,
): {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
} {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);

  useEffect(() => {
    isAtEnd.current = beginsAtEnd && !window.location.hash;
    if (isAtEnd.current) toEnd(scroller.current);
    else if (!beginsAtEnd) scroller.current?.scrollTo(0, 0);
  }, [place, beginsAtEnd]);

  useEffect(() => {
    const box = scroller.current;
    if (!box || !content.current) return;
    const onScroll = (): void => {
      isAtEnd.current = beginsAtEnd && box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    };
    const grown = new ResizeObserver(() => {
      if (isAtEnd.current) toEnd(box);
    });
    grown.observe(content.current);
    grown.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      grown.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, [beginsAtEnd]);

  return { scroller, content };
}

function toEnd(box: HTMLElement | null): void {
  if (box) box.scrollTop = box.scrollHeight;
}
