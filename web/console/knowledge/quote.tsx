import type { ReactNode } from "react";
import { Told } from "./file-names";

/** What was said, word for word, after when and where. */
export function Quote({ source, children }: { source: ReactNode; children: string }) {
  return (
    <blockquote className="line-clamp-5 border-l-2 border-edge/60 pl-2.5 text-ink-2">
      <span className="text-xs">{source}:</span>{" "}
      <bdi title={children}>
        “<Told>{children}</Told>”
      </bdi>
    </blockquote>
  );
}
