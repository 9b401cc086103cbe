import { Download } from "lucide-react";
import { useState } from "react";
import { useClient } from "urql";
import { inWords } from "../graph/use-action";
import { Menu, MenuItem } from "../ui/menu";
import { type ExportFormat, ExportSessionDocument } from "./operations";

const FORMATS: [ExportFormat, string][] = [
  ["MARKDOWN", "Markdown"],
  ["HTML", "HTML, to be printed"],
  ["JSON", "JSON"],
  ["ARCHIVE", "Archive, with its files"],
];

/** The whole session as a file. */
export function ExportMenu({ sessionId }: { sessionId: string }) {
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

  return (
    <>
      <span role="alert" className="text-xs text-dead-end empty:hidden">
        {problem}
      </span>
      <Menu
        label="Export"
        className="min-h-8 gap-1.5 px-2.5 text-sm font-medium"
        button={
          <>
            <Download aria-hidden className="size-4" />
            <span className="max-sm:sr-only">Export</span>
          </>
        }
      >
        {FORMATS.map(([format, name]) => (
          <MenuItem key={format} onAction={() => void save(format)}>
            {name}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}
