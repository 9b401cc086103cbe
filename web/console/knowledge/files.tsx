import { ChevronDown, Download } from "lucide-react";
import { useState } from "react";
import { useClient, useQuery } from "urql";
import { inWords, useAction } from "../graph/use-action";
import { Button, IconButton } from "../ui/button";
import { Skeleton } from "../ui/states";
import { Told } from "./file-names";
import { fileSize } from "./numbers";
import {
  FileAddressDocument,
  FileSummaryDocument,
  RetryUploadDocument,
  type UploadRowFragment,
} from "./operations";
import { Nothing } from "./section";

export function Files({ files, isWriter }: { files: UploadRowFragment[]; isWriter: boolean }) {
  if (files.length === 0) {
    return <Nothing>No files.{isWriter && " Attach a log or a picture where you write."}</Nothing>;
  }
  return (
    <ul className="flex flex-col gap-2">
      {files.map((file) => (
        <li key={file.id}>
          <File file={file} isWriter={isWriter} />
        </li>
      ))}
    </ul>
  );
}

function File({ file, isWriter }: { file: UploadRowFragment; isWriter: boolean }) {
  const [isOpen, setIsOpen] = useState(false);
  const download = useDownload(file.id);
  const retry = useAction(RetryUploadDocument);
  const problem = download.problem ?? retry.refusal?.message;
  return (
    <>
      <div className="flex items-center gap-2">
        <button
          type="button"
          onClick={() => void download.start()}
          title={`Download ${file.filename}`}
          className="group flex min-w-0 flex-1 items-center gap-1.5 text-left hover:underline"
        >
          <span className="truncate">
            <bdi>{file.filename}</bdi>
          </span>
          <Download
            aria-hidden
            className="size-3.5 shrink-0 text-ink-3 opacity-0 transition-opacity group-hover:opacity-100 group-focus-visible:opacity-100"
          />
        </button>
        <span className="shrink-0 text-xs text-ink-3 tabular-nums">{fileSize(file.byteSize)}</span>
        <IconButton
          label={`Summary of ${file.filename}`}
          aria-expanded={isOpen}
          disabled={file.state !== "DESCRIBED"}
          onClick={() => setIsOpen(!isOpen)}
          className="size-6! -mr-1"
        >
          <ChevronDown
            aria-hidden
            className={`size-3.5 transition-transform ${isOpen ? "rotate-180" : ""}`}
          />
        </IconButton>
      </div>
      {file.state === "FAILED" ? (
        <p className="text-xs text-dead-end">
          {file.failure}{" "}
          {isWriter && (
            <Button
              className="mt-1 flex! min-h-7! px-2 text-xs"
              aria-disabled={retry.isBusy}
              onClick={() => void retry.run({ input: { uploadId: file.id } })}
            >
              Try again
            </Button>
          )}
        </p>
      ) : (
        <p dir="auto" className="text-xs text-ink-3">
          {file.description ? <Told>{file.description}</Told> : "Being read…"}
        </p>
      )}
      {isOpen && <Summary id={file.id} />}
      {problem && (
        <p role="alert" className="text-xs text-dead-end">
          {problem}
        </p>
      )}
    </>
  );
}

/** Its address is good for minutes only, so each download asks for one. */
function useDownload(id: string) {
  const client = useClient();
  const [problem, setProblem] = useState<string | null>(null);

  async function start(): Promise<void> {
    const { data, error } = await client.query(
      FileAddressDocument,
      { id },
      { requestPolicy: "network-only" },
    );
    setProblem(error ? inWords(error) : null);
    if (data?.node && "url" in data.node) window.location.assign(data.node.url);
  }

  return { start, problem };
}

function Summary({ id }: { id: string }) {
  const [{ data, error }] = useQuery({ query: FileSummaryDocument, variables: { id } });
  if (error) return <p className="text-xs text-dead-end">{inWords(error)}</p>;
  if (!data) return <Skeleton className="mt-1 h-16" />;
  const summary = data.node && "summary" in data.node ? data.node.summary : null;
  return (
    <pre
      tabIndex={0}
      dir="auto"
      className="mt-1 max-h-60 overflow-y-auto rounded border px-2.5 py-2 font-sans text-xs whitespace-pre-wrap text-ink-2"
    >
      {summary ?? "There is no summary of this file."}
    </pre>
  );
}
