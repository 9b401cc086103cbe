import type { ReactNode } from "react";
import {
  Button as AriaButton,
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuTrigger,
  Popover,
} from "react-aria-components";

/** A button and what it offers. */
export function Menu({
  label,
  button,
  className = "",
  children,
}: {
  /** Says what the button opens. */
  label: string;
  button: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  return (
    <MenuTrigger>
      <AriaButton
        aria-label={label}
        className={`inline-flex shrink-0 items-center justify-center rounded text-ink-2 outline-accent transition-colors hover:bg-hover hover:text-ink ${className}`}
      >
        {button}
      </AriaButton>
      <Popover
        placement="bottom end"
        className="min-w-44 rounded border border-line bg-panel shadow-float"
      >
        <AriaMenu aria-label={label} className="max-h-80 overflow-y-auto p-1 outline-none">
          {children}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

const ITEM =
  "flex min-h-8 cursor-pointer items-center gap-2 rounded px-2.5 py-1 outline-none data-[disabled]:cursor-not-allowed " +
  "data-[disabled]:opacity-50 data-[focused]:bg-hover";

export function MenuItem({
  children,
  onAction,
  href,
  isDisabled = false,
  textValue,
}: {
  children: ReactNode;
  onAction?: () => void;
  href?: string;
  isDisabled?: boolean;
  textValue?: string;
}) {
  const link = href === undefined ? {} : { href };
  const action = onAction === undefined ? {} : { onAction };
  const text = textValue ?? (typeof children === "string" ? children : undefined);
  return (
    <AriaMenuItem
      {...link}
      {...action}
      {...(text === undefined ? {} : { textValue: text })}
      isDisabled={isDisabled}
      className={ITEM}
    >
      {children}
    </AriaMenuItem>
  );
}
