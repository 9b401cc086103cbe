import { Search } from "lucide-react";
import { type ReactNode, useEffect, useEffectEvent, useId, useRef, useState } from "react";

const PAUSE_MS = 300;

/** Tells what is searched for once one pauses. What it may hold is said while one is in it. */
export function SearchBox({
  label,
  value,
  onSearch,
  hint,
  className = "",
}: {
  label: string;
  /** What is searched for now. */
  value: string;
  onSearch: (text: string) => void;
  hint: ReactNode;
  className?: string;
}) {
  const id = useId();
  const [text, setText] = useState(value);
  const told = useRef(value);
  const search = useEffectEvent((wanted: string) => {
    told.current = wanted.trim();
    onSearch(told.current);
  });

  // Back and forward change what is searched for, too.
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (text.trim() === told.current) return;
    const timer = window.setTimeout(() => search(text), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);

  return (
    <search className={`group relative ${className}`}>
      <Search aria-hidden className="pointer-events-none absolute top-2 left-2 size-4 text-ink-3" />
      <input
        type="search"
        aria-label={label}
        aria-describedby={id}
        placeholder={label}
        value={text}
        maxLength={200}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && search(text)}
        className="min-h-8 w-full rounded border border-edge bg-panel pr-2 pl-8"
      />
      <p
        id={id}
        className="invisible absolute top-full right-0 left-0 z-10 mt-1 rounded border bg-panel px-2.5 py-1.5 text-xs text-ink-2 shadow-float group-focus-within:visible"
      >
        {hint}
      </p>
    </search>
  );
}

/** How the server's full text search is written. */
export const SEARCH_SYNTAX = (
  <>
    All words must occur. <b className="font-medium">“a phrase”</b> in quotes,{" "}
    <b className="font-medium">or</b> between words for either, <b className="font-medium">-word</b>{" "}
    for none of it.
  </>
);
