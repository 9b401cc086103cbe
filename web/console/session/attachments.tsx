import { Paperclip } from "lucide-react";
import { useClient } from "urql";
import { size } from "../ui/size";
import { UploadAddressDocument, type UploadRowFragment } from "./operations";

/** Files that came with a message; each is fetched by an address that is good for a few minutes. */
export function Attachments({ uploads }: { uploads: UploadRowFragment[] }) {
  const client = useClient();
  async function fetchIt(id: string): Promise<void> {
    const { data } = await client
      .query(UploadAddressDocument, { id }, { requestPolicy: "network-only" })
      .toPromise();
    if (data?.node?.__typename === "FileUpload") window.location.assign(data.node.url);
  }
  return (
    <ul className="flex flex-wrap gap-2">
      {uploads.map(({ id, filename, byteSize, description, state, failure }) => (
        <li key={id}>
          <button
            type="button"
            title={failure ?? description ?? undefined}
            onClick={() => void fetchIt(id)}
            className="flex max-w-full items-center gap-1.5 rounded border bg-panel px-2 py-1 text-xs text-ink-2 hover:bg-hover"
          >
            <Paperclip aria-hidden className="size-3.5 shrink-0" />
            <span dir="auto" className="truncate text-ink">
              {filename}
            </span>
            <span className="shrink-0">{size(byteSize)}</span>
            {state === "FAILED" && <span className="text-dead-end">not read</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}
