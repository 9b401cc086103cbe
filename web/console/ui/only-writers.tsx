import type { ReactNode } from "react";

/** In the place of deeds that are for those who write in a session. */
export function OnlyWriters({
  assignee,
  deed,
  className = "",
}: {
  assignee: { displayName: string };
  deed: ReactNode;
  className?: string;
}) {
  return (
    <p className={`text-xs text-ink-2 ${className}`}>
      Only <bdi>{assignee.displayName}</bdi>, leads and admins can {deed}.
    </p>
  );
}
