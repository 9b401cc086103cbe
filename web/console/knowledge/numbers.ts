const COMPACT = new Intl.NumberFormat(undefined, {
  notation: "compact",
  maximumSignificantDigits: 3,
});
const WHOLE = new Intl.NumberFormat();
const UNITS = ["byte", "kilobyte", "megabyte"] as const;

/** As `61K`. */
export function compact(count: number): string {
  return COMPACT.format(count);
}

export function whole(count: number): string {
  return WHOLE.format(count);
}

/** As `14 kB`. */
export function fileSize(bytes: number): string {
  const step = bytes < 1_000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  return new Intl.NumberFormat(undefined, {
    style: "unit",
    unit: UNITS[step] ?? "megabyte",
    unitDisplay: step === 0 ? "long" : "short",
    maximumSignificantDigits: 3,
  }).format(bytes / 1_000 ** step);
}

/** How much of what models read came from the cache; null where they read nothing. */
export function cachedShare({ input, cacheRead }: { input: number; cacheRead: number }) {
  return input === 0 ? null : cacheRead / input;
}
