const UNITS = ["byte", "kilobyte", "megabyte"] as const;

/** As `14 kB`. */
export function size(bytes: number): string {
  const power = bytes < 1_000 ? 0 : bytes < 999_500 ? 1 : 2;
  const value = bytes / 1_000 ** power;
  return new Intl.NumberFormat(undefined, {
    style: "unit",
    unit: UNITS[power] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: power === 2 && value < 10 ? 1 : 0,
  }).format(value);
}
