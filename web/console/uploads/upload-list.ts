export const MOST_FILES = 10;

/** A file that somebody has added, on its way to the server or there. */
export interface Upload {
  /** Names it on this page, and its upload to the server, so that a repeat stores it once. */
  key: string;
  name: string;
  bytes: number;
  /** To be sent, or sent again. Null: it is there, or sending it again cannot help. */
  file: File | null;
  /** The stored file's. Null: it is not there yet. */
  id: string | null;
  /** Why it did not get there. Null: it is there or on its way. */
  problem: string | null;
}

/** What outlives the page of a file that is there. */
export type StoredFile = Pick<Upload, "name" | "bytes"> & { id: string };

export interface UploadList {
  uploads: Upload[];
  /** The names of those added last that were too many. */
  leftOut: string[];
}

export type Change =
  | { type: "added"; files: { key: string; file: File }[] }
  | { type: "stored"; key: string; id: string }
  | { type: "failed"; key: string; problem: string; isHopeless: boolean }
  | { type: "retried"; key: string }
  | { type: "removed"; key: string }
  | { type: "cleared" };

export const NO_UPLOADS: UploadList = { uploads: [], leftOut: [] };

/** What comes for a file that was removed meanwhile changes nothing. */
export function changed({ uploads, leftOut }: UploadList, change: Change): UploadList {
  const withOne = (key: string, changes: Partial<Upload>) => ({
    uploads: uploads.map((upload) => (upload.key === key ? { ...upload, ...changes } : upload)),
    leftOut,
  });
  switch (change.type) {
    case "added": {
      const taken = change.files.slice(0, room(uploads));
      const added = taken.map(({ key, file }) => ({
        key,
        name: file.name,
        bytes: file.size,
        file,
        id: null,
        problem: null,
      }));
      return {
        uploads: [...uploads, ...added],
        leftOut: change.files.slice(taken.length).map(({ file }) => file.name),
      };
    }
    case "stored":
      return withOne(change.key, { id: change.id, file: null, problem: null });
    case "failed": {
      const { key, problem, isHopeless } = change;
      return withOne(key, { id: null, problem, ...(isHopeless && { file: null }) });
    }
    case "retried":
      return withOne(change.key, { problem: null });
    case "removed":
      return { uploads: uploads.filter(({ key }) => key !== change.key), leftOut: [] };
    case "cleared":
      return NO_UPLOADS;
  }
}

/** For how many more there is room; what did not get there takes none. */
export function room(uploads: Upload[]): number {
  return Math.max(0, MOST_FILES - uploads.filter(({ problem }) => problem === null).length);
}

export function isUnderWay({ id, problem }: Upload): boolean {
  return id === null && problem === null;
}

export function mayBeSentAgain({ file, problem }: Upload, uploads: Upload[]): boolean {
  return file !== null && problem !== null && room(uploads) > 0;
}

export function storedOf(uploads: Upload[]): StoredFile[] {
  return uploads.flatMap(({ id, name, bytes }) => (id === null ? [] : { id, name, bytes }));
}

export function listOf(stored: StoredFile[]): UploadList {
  return {
    uploads: stored.map((file) => ({ ...file, key: file.id, file: null, problem: null })),
    leftOut: [],
  };
}
