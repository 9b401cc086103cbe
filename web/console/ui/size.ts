const UNITS = ["byte", "kilobyte", "megabyte"] as const;

/** As `14 kB`. */
export function size(bytes: number): string {
  const power = bytes < 1_000 ? 0 : bytes < 999_500 ? 1 : 2;
  const value = bytes / 1_000 ** power;
  return new Intl.NumberFormat(undefined, {
    style: "unit",
    unit: UNITS[power] ?? "byte",
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: power === 2 && value < 10 ? 1 : 0,
  }).format(value);
}

/** The text with its numbers of bytes as people read them: `25,000,000 bytes` is 25 MB. */
export function sizesIn(text: string): string {
  return text.replace(/\d[\d,]* bytes/g, (bytes) => size(Number(bytes.replace(/\D/g, ""))));
}
