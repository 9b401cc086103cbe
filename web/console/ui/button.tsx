import type { ComponentProps } from "react";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "border-accent bg-accent text-on-accent hover:bg-accent/90",
  plain: "border-edge/50 bg-panel text-ink hover:bg-hover",
  quiet: "border-transparent text-ink-2 hover:bg-hover hover:text-ink",
  danger: "border-dead-end/60 bg-panel text-dead-end hover:bg-dead-end-soft",
};

const SHAPE =
  "inline-flex min-h-8 shrink-0 items-center justify-center gap-1.5 rounded border px-3 text-sm font-medium " +
  "whitespace-nowrap transition-colors disabled:opacity-50 aria-disabled:opacity-50";

export function buttonClass(look: Look = "plain", className = ""): string {
  return `${SHAPE} ${LOOKS[look]} ${className}`;
}

export function Button({
  look = "plain",
  className = "",
  ...rest
}: ComponentProps<"button"> & { look?: Look }) {
  return <button type="button" {...rest} className={buttonClass(look, className)} />;
}

/** A button that shows an icon only, and says what it does. */
export function IconButton({
  label,
  className = "",
  ...rest
}: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={`inline-flex size-8 shrink-0 items-center justify-center rounded text-ink-2 transition-colors hover:bg-hover hover:text-ink disabled:opacity-50 ${className}`}
    />
  );
}
