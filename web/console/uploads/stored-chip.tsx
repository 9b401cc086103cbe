import { useEffect, useEffectEvent, useState } from "react";
import { useQuery } from "urql";
import { useAction } from "../graph/use-action";
import { FileChip } from "./file-chip";
import { RetryUploadDocument, UploadDocument } from "./operations";

const FIRST_LOOK_MS = 1_500;
const LONGEST_PAUSE_MS = 12_000;

/** A file on the server, while it is read there. No event tells of one that is in no session yet, so it is
 * looked at again until it is described. */
export function StoredChip({
  id,
  name,
  bytes,
  onRemove,
  onGone,
}: {
  id: string;
  name: string;
  bytes: number;
  onRemove: () => void;
  /** The server does not have it, any more. */
  onGone: () => void;
}) {
  const [{ data, fetching }, look] = useQuery({ query: UploadDocument, variables: { id } });
  const retry = useAction(RetryUploadDocument);
  const [looks, setLooks] = useState(0);
  const stored = data?.node && "state" in data.node ? data.node : undefined;
  const state = stored?.state ?? "STORED";
  const isRead = state === "DESCRIBED" || state === "FAILED";

  useEffect(() => {
    if (isRead || fetching) return;
    const pause = Math.min(FIRST_LOOK_MS * 1.5 ** looks, LONGEST_PAUSE_MS);
    const timer = window.setTimeout(() => {
      setLooks(looks + 1);
      look({ requestPolicy: "network-only" });
    }, pause);
    return () => window.clearTimeout(timer);
  }, [isRead, fetching, looks, look]);

  const isGone = data !== undefined && !fetching && data.node === null;
  const tellGone = useEffectEvent(onGone);
  useEffect(() => {
    if (isGone) tellGone();
  }, [isGone]);

  async function readAgain(): Promise<void> {
    setLooks(0);
    await retry.run({ input: { uploadId: id } });
  }

  return (
    <FileChip
      name={stored?.filename ?? name}
      bytes={stored?.byteSize ?? bytes}
      state={state}
      about={stored?.description}
      problem={retry.refusal?.message ?? stored?.failure}
      onRetry={() => void readAgain()}
      onRemove={onRemove}
    />
  );
}
