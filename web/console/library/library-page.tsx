import { useSearchParams } from "wouter";
import { useFresh } from "../graph/use-fresh";
import { useMore } from "../graph/use-more";
import { Header } from "../shell/header";
import { Button } from "../ui/button";
import { SEARCH_SYNTAX, SearchBox } from "../ui/search-box";
import { ShowMore } from "../ui/show-more";
import { Empty, Failed, SkeletonRows } from "../ui/states";
import { Article } from "./article";
import { ArticleList } from "./article-list";
import { LibraryDocument } from "./operations";

/** The account's articles, and the one that is read beside them. */
export default function LibraryPage({ articleId }: { articleId: string | undefined }) {
  const [address, setAddress] = useSearchParams();
  const search = address.get("q") ?? "";
  const variables = search ? { search } : {};
  const { data, error, isLoading, reload } = useFresh(LibraryDocument, variables);
  const more = useMore(LibraryDocument);
  const found = data?.kbArticles;
  const seek = (text: string) => setAddress(text ? { q: text } : {}, { replace: true });

  return (
    <div className="flex h-full flex-col">
      <Header title="Library" />
      <main className="grid min-h-0 flex-1 md:grid-cols-[360px_1fr]">
        <h2 className="sr-only">Articles</h2>
        <div
          className={`flex flex-col border-r bg-panel md:min-h-0 ${articleId ? "max-md:hidden" : ""}`}
        >
          <SearchBox
            label="Search articles"
            value={search}
            onSearch={seek}
            hint={SEARCH_SYNTAX}
            className="m-3"
          />
          <div className="flex flex-col gap-3 overflow-y-auto pb-4 md:min-h-0">
            {!found && isLoading && <SkeletonRows count={6} className="h-10" />}
            {error && !found && <Failed what="The library" error={error} retry={reload} />}
            {found && (
              <ArticleList
                articles={found.edges.map(({ node }) => node)}
                chosenId={articleId}
                search={search}
              />
            )}
            {found?.edges.length === 0 &&
              (search ? (
                <Empty action={<Button onClick={() => seek("")}>Show all articles</Button>}>
                  No article is about this.
                </Empty>
              ) : (
                <Empty>
                  No articles yet. Resolve a session and push its article to the library.
                </Empty>
              ))}
            {found?.pageInfo.hasNextPage && (
              <ShowMore more={more} variables={{ ...variables, after: found.pageInfo.endCursor }} />
            )}
          </div>
        </div>
        <div className={`md:min-h-0 md:overflow-y-auto ${articleId ? "" : "max-md:hidden"}`}>
          {articleId ? (
            <Article key={articleId} id={articleId} search={search} />
          ) : (
            <Empty>Choose an article to read it here.</Empty>
          )}
        </div>
      </main>
    </div>
  );
}
