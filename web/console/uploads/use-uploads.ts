import { useSyncExternalStore } from "react";
import { useClient } from "urql";
import { newKey } from "../graph/keys";
import { refusalOf } from "../graph/use-action";
import { useViewer } from "../shell/viewer";
import { sizesIn } from "../ui/size";
import { UploadFileDocument } from "./operations";
import { changeShelf, listen, shelf } from "./shelves";
import { isUnderWay, mayBeSentAgain, room, type Upload } from "./upload-list";

export interface Uploads {
  uploads: Upload[];
  /** Of those that are stored, to be sent as `uploadIds`. */
  ids: string[];
  /** Some are still on their way. */
  isBusy: boolean;
  /** The names of the last ones added that were too many. */
  leftOut: string[];
  add: (files: Iterable<File>) => void;
  /** Stops it if it is on its way. What is stored goes by itself if it is never sent. */
  remove: (key: string) => void;
  /** Sends a file again that did not get there. */
  retry: (key: string) => void;
  /** It was stored once, and the server has it no more. */
  lose: (key: string) => void;
  clear: () => void;
}

const underWay = new Map<string, () => void>();

function stop(key: string): void {
  underWay.get(key)?.();
  underWay.delete(key);
}

/** Files for a session or message to come, of the viewer at that place. Each is uploaded at once. */
export function useUploads(at: string): Uploads {
  const client = useClient();
  const place = `${useViewer().id}.${at}`;
  const { uploads, leftOut } = useSyncExternalStore(listen, () => shelf(place));

  function send(key: string, file: File): void {
    const { unsubscribe } = client
      .mutation(UploadFileDocument, { input: { idempotencyKey: key, file } })
      .subscribe(({ data, error }) => {
        underWay.delete(key);
        const refusal = refusalOf(data, error);
        const answer = data?.uploadFile;
        if (refusal) {
          const problem = sizesIn(refusal.fields[0]?.message ?? refusal.message);
          const isTooLarge = error?.graphQLErrors[0]?.extensions.code === "REQUEST_TOO_LARGE";
          const isHopeless = refusal.fields.length > 0 || isTooLarge;
          changeShelf(place, { type: "failed", key, problem, isHopeless });
        } else if (answer && "upload" in answer)
          changeShelf(place, { type: "stored", key, id: answer.upload.id });
      });
    underWay.set(key, unsubscribe);
  }

  return {
    uploads,
    ids: uploads.flatMap(({ id }) => id ?? []),
    isBusy: uploads.some(isUnderWay),
    leftOut,
    add(files) {
      const added = Array.from(files, (file) => ({ key: newKey(), file }));
      const taken = added.slice(0, room(shelf(place).uploads));
      changeShelf(place, { type: "added", files: added });
      for (const { key, file } of taken) send(key, file);
    },
    remove(key) {
      stop(key);
      changeShelf(place, { type: "removed", key });
    },
    retry(key) {
      const upload = uploads.find((each) => each.key === key);
      if (!upload?.file || !mayBeSentAgain(upload, uploads)) return;
      changeShelf(place, { type: "retried", key });
      send(key, upload.file);
    },
    lose(key) {
      const problem = "The server has it no more. Attach it again.";
      changeShelf(place, { type: "failed", key, problem, isHopeless: true });
    },
    clear() {
      for (const { key } of uploads) stop(key);
      changeShelf(place, { type: "cleared" });
    },
  };
}
