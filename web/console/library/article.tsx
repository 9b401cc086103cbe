import { ArrowLeft } from "lucide-react";
import { lazy, Suspense, useEffect, useRef } from "react";
import { Link } from "wouter";
import { useFresh } from "../graph/use-fresh";
import { persistently } from "../shell/persistently";
import { buttonClass } from "../ui/button";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { Ago } from "../ui/time";
import { libraryAddress } from "./address";
import { ArticleDocument } from "./operations";
import { Tags } from "./tags";

const Markdown = lazy(
  persistently(async () => ({ default: (await import("../ui/markdown")).Markdown })),
);

export function Article({ id, search }: { id: string; search: string }) {
  const { data, error, isLoading, reload } = useFresh(ArticleDocument, { id });
  const heading = useRef<HTMLHeadingElement>(null);
  const article = data?.node && "body" in data.node ? data.node : undefined;
  const isThere = article !== undefined;

  // Where the list gave way to the article, so does the focus.
  useEffect(() => {
    if (isThere && window.matchMedia("(width < 900px)").matches) heading.current?.focus();
  }, [isThere]);

  return (
    <article className="mx-auto flex max-w-[76ch] flex-col gap-4 p-4 md:p-8">
      <Link
        href={libraryAddress(null, search)}
        className={buttonClass("quiet", "-ml-3 self-start md:hidden")}
      >
        <ArrowLeft aria-hidden className="size-4" />
        All articles
      </Link>
      {!article && isLoading && <SkeletonRows count={6} className="h-5" />}
      {error && !article && <Failed what="The article" error={error} retry={reload} />}
      {!article && data && !error && <Empty>This article is not in the library.</Empty>}
      {article && (
        <>
          <header className="flex flex-col gap-2">
            <h3
              ref={heading}
              tabIndex={-1}
              dir="auto"
              className="text-lg font-semibold outline-none"
            >
              {article.title}
            </h3>
            <Tags tags={article.content.tags} />
            <p className="text-xs text-ink-2">
              Changed <Ago at={article.updatedAt} />
              {article.sourceSession && (
                <>
                  {" · learnt in "}
                  <Link
                    href={`/sessions/${article.sourceSession.id}`}
                    dir="auto"
                    className="text-accent hover:underline"
                  >
                    {article.sourceSession.problemSummary ??
                      article.sourceSession.intake.text.slice(0, 120)}
                  </Link>
                </>
              )}
            </p>
          </header>
          <Suspense fallback={<SkeletonRows count={6} className="h-5" />}>
            <Markdown text={article.body} />
          </Suspense>
        </>
      )}
    </article>
  );
}
