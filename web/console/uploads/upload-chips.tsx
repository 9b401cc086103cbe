import { FileChip } from "./file-chip";
import { StoredChip } from "./stored-chip";
import { MOST_FILES, mayBeSentAgain } from "./upload-list";
import type { Uploads } from "./use-uploads";

/** The files that go with what is being written, each with how far it is. */
export function UploadChips({ uploads }: { uploads: Uploads }) {
  return (
    <div className="flex flex-col gap-1.5 empty:hidden">
      {uploads.uploads.length > 0 && (
        <ul aria-label="Files" className="flex flex-wrap gap-1.5">
          {uploads.uploads.map((upload) => {
            const { key, name, bytes, id, problem } = upload;
            const remove = () => uploads.remove(key);
            return id ? (
              <StoredChip
                key={key}
                id={id}
                name={name}
                bytes={bytes}
                onRemove={remove}
                onGone={() => uploads.lose(key)}
              />
            ) : (
              <FileChip
                key={key}
                name={name}
                bytes={bytes}
                state={problem ? "FAILED" : "UPLOADING"}
                problem={problem}
                onRetry={
                  mayBeSentAgain(upload, uploads.uploads) ? () => uploads.retry(key) : undefined
                }
                onRemove={remove}
              />
            );
          })}
        </ul>
      )}
      {uploads.leftOut.length > 0 && (
        <p role="alert" className="text-xs text-dead-end">
          At most {MOST_FILES} files go with it. Left out:{" "}
          <span dir="auto">{uploads.leftOut.join(", ")}</span>
        </p>
      )}
    </div>
  );
}
