import { FileChip } from "./file-chip";
import { StoredChip } from "./stored-chip";
import { MOST_FILES } from "./upload-list";
import type { Uploads } from "./use-uploads";

/** The files that go with what is being written, each with how far it is. */
export function UploadChips({ uploads }: { uploads: Uploads }) {
  return (
    <div className="flex flex-col gap-1.5 empty:hidden">
      {uploads.uploads.length > 0 && (
        <ul aria-label="Files" className="flex flex-wrap gap-1.5">
          {uploads.uploads.map(({ key, file, id, problem }) => {
            const remove = () => uploads.remove(key);
            return id ? (
              <StoredChip key={key} id={id} file={file} onRemove={remove} />
            ) : (
              <FileChip
                key={key}
                name={file.name}
                bytes={file.size}
                state={problem ? "FAILED" : "UPLOADING"}
                problem={problem}
                onRetry={() => uploads.retry(key)}
                onRemove={remove}
              />
            );
          })}
        </ul>
      )}
      {uploads.leftOut > 0 && (
        <p role="alert" className="text-xs text-dead-end">
          {`At most ${MOST_FILES} files go with it; ${uploads.leftOut} ${uploads.leftOut === 1 ? "was" : "were"} left out.`}
        </p>
      )}
    </div>
  );
}
