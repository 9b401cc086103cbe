import { useEffect, useReducer, useRef } from "react";
import { useClient } from "urql";
import { newKey } from "../graph/keys";
import { refusalOf } from "../graph/use-action";
import { UploadFileDocument } from "./operations";
import { changed, isUnderWay, NO_UPLOADS, room, type Upload } from "./upload-list";

export interface Uploads {
  uploads: Upload[];
  /** Of those that are stored, to be sent as `uploadIds`. */
  ids: string[];
  /** Some are still on their way. */
  isBusy: boolean;
  /** How many of the last ones added were too many. */
  leftOut: number;
  add: (files: Iterable<File>) => void;
  /** Stops it if it is on its way. What is stored goes by itself if it is never sent. */
  remove: (key: string) => void;
  /** Sends a file again that did not get there. */
  retry: (key: string) => void;
  clear: () => void;
}

/** Files for a session or message to come. Each is uploaded at once; with a session or a branch into that. */
export function useUploads({
  sessionId,
  branchId,
}: {
  sessionId?: string;
  branchId?: string;
} = {}): Uploads {
  const client = useClient();
  const [list, dispatch] = useReducer(changed, NO_UPLOADS);
  const underWay = useRef(new Map<string, () => void>());

  function stop(key: string): void {
    underWay.current.get(key)?.();
    underWay.current.delete(key);
  }

  function send(key: string, file: File): void {
    const input = { idempotencyKey: key, file, sessionId, branchId };
    const { unsubscribe } = client
      .mutation(UploadFileDocument, { input })
      .subscribe(({ data, error }) => {
        underWay.current.delete(key);
        const refusal = refusalOf(data, error);
        const answer = data?.uploadFile;
        if (refusal) dispatch({ type: "failed", key, problem: refusal.message });
        else if (answer && "upload" in answer)
          dispatch({ type: "stored", key, id: answer.upload.id });
      });
    underWay.current.set(key, unsubscribe);
  }

  useEffect(() => {
    const each = underWay.current;
    return () => {
      for (const end of each.values()) end();
    };
  }, []);

  return {
    uploads: list.uploads,
    ids: list.uploads.flatMap(({ id }) => id ?? []),
    isBusy: list.uploads.some(isUnderWay),
    leftOut: list.leftOut,
    add(files) {
      const added = Array.from(files, (file) => ({ key: newKey(), file }));
      dispatch({ type: "added", files: added });
      for (const { key, file } of added.slice(0, room(list.uploads))) send(key, file);
    },
    remove(key) {
      stop(key);
      dispatch({ type: "removed", key });
    },
    retry(key) {
      const upload = list.uploads.find((each) => each.key === key);
      if (!upload?.problem) return;
      dispatch({ type: "retried", key });
      send(key, upload.file);
    },
    clear() {
      for (const { key } of list.uploads) stop(key);
      dispatch({ type: "cleared" });
    },
  };
}
