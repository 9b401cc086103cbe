/** Of the library, or of an article in it, with what was searched for. */
export function libraryAddress(articleId: string | null, search: string): string {
  const path = articleId ? `/library/${articleId}` : "/library";
  return search ? `${path}?${new URLSearchParams({ q: search })}` : path;
}
