const NUMBER = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

/** Bytes as `14 kB` or `2.4 MB`. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${NUMBER.format(bytes / 1_000)} kB`;
  return `${NUMBER.format(bytes / 1_000_000)} MB`;
}
