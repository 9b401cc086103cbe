import { Link } from "wouter";
import { day } from "../ui/time";
import { libraryAddress } from "./address";
import type { LibraryQuery } from "./operations";

type Listed = LibraryQuery["kbArticles"]["edges"][number]["node"];

export function ArticleList({
  articles,
  chosenId,
  search,
}: {
  articles: Listed[];
  chosenId: string | undefined;
  search: string;
}) {
  return (
    <ul aria-label="Articles" className="border-t empty:hidden">
      {articles.map(({ id, title, updatedAt, content }) => (
        <li key={id} className="border-b">
          <Link
            href={libraryAddress(id, search)}
            aria-current={id === chosenId ? "page" : undefined}
            className="block px-4 py-2.5 -outline-offset-2 transition-colors hover:bg-hover aria-[current=page]:bg-accent-soft"
          >
            <span dir="auto" className="block font-medium">
              {title}
            </span>
            <span className="flex gap-x-3 text-xs text-ink-2">
              <span dir="auto" className="min-w-0 truncate">
                {content.tags.join(", ")}
              </span>
              <time dateTime={updatedAt} className="ml-auto whitespace-nowrap">
                {day(updatedAt)}
              </time>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
