import type { ReactNode } from "react";

/** On a phone each row is a block, its first cell the heading, and each other one says what it is. */
export function Table({
  heads,
  numbers = [],
  label,
  children,
}: {
  /** Empty for the column of what can be done. */
  heads: string[];
  /** Heads of columns that hold numbers. */
  numbers?: string[];
  label: string;
  children: ReactNode;
}) {
  return (
    <table aria-label={label} className="w-full border-collapse max-md:block">
      <thead className="max-md:sr-only">
        <tr className="group border-b text-left text-xs text-ink-2">
          {heads.map((head) => (
            <th
              key={head}
              scope="col"
              className={`px-4 py-2 font-medium whitespace-nowrap ${numbers.includes(head) ? "text-right" : ""}`}
            >
              {head || <span className="sr-only">Actions</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="max-md:block">{children}</tbody>
    </table>
  );
}

export function Row({ children }: { children: ReactNode }) {
  return (
    <tr className="group border-b last:border-b-0 max-md:flex max-md:flex-wrap max-md:items-baseline max-md:gap-x-4 max-md:gap-y-1 max-md:px-4 max-md:py-3">
      {children}
    </tr>
  );
}

/** On a phone they share the first line; without deeds the heading has it alone. */
const FIRST =
  "max-md:order-first max-md:basis-full max-md:group-has-data-deed:basis-[calc(100%-6rem)]";
const LAST = "text-right max-md:order-first max-md:basis-20";

export function Cell({
  label,
  isFirst = false,
  isLast = false,
  className = "",
  children,
}: {
  /** Of its column, for where columns have no heads. */
  label?: string;
  isFirst?: boolean;
  /** Holds what can be done. */
  isLast?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const place = isFirst ? FIRST : isLast ? LAST : "";
  return (
    <td
      data-deed={isLast || undefined}
      className={`px-4 py-2.5 align-top max-md:p-0 ${place} ${className}`}
    >
      {label && <span className="mr-1.5 text-xs text-ink-3 md:hidden">{label}</span>}
      {children}
    </td>
  );
}
