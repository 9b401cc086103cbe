import { Link } from "wouter";
import type { MessageBodyFragment } from "./operations";

export function SuggestedArticles({
  articles,
}: {
  articles: MessageBodyFragment["suggestedArticles"];
}) {
  return (
    <p className="flex flex-wrap gap-x-3 text-xs text-ink-2">
      From the library:
      {articles.map(({ id, title }) => (
        <Link key={id} href={`/library/${id}`} className="text-accent underline" dir="auto">
          {title}
        </Link>
      ))}
    </p>
  );
}
