import { useState } from "react";
import { useClient } from "urql";
import { inWords } from "../graph/use-action";
import { type ExportFormat, ExportSessionDocument } from "./operations";

export const EXPORT_FORMATS: { format: ExportFormat; words: string }[] = [
  { format: "MARKDOWN", words: "Export as Markdown" },
  { format: "HTML", words: "Export as HTML, to be printed" },
  { format: "JSON", words: "Export as JSON" },
  { format: "ARCHIVE", words: "Export with its files" },
];

/** The whole session as a file; `problem` says why there is none. */
export function useExport(sessionId: string): {
  save: (format: ExportFormat) => Promise<void>;
  problem: string;
} {
  const client = useClient();
  const [problem, setProblem] = useState("");

  async function save(format: ExportFormat): Promise<void> {
    const { data, error } = await client
      .query(ExportSessionDocument, { id: sessionId, format }, { requestPolicy: "network-only" })
      .toPromise();
    const url = data?.session?.export.url;
    setProblem(error ? inWords(error) : "");
    // The server answers with an attachment, so the page stays.
    if (url) window.location.assign(url);
  }

  return { save, problem };
}
