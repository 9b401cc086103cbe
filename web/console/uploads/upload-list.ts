export const MOST_FILES = 10;

/** A file that somebody has added, on its way to the server or there. */
export interface Upload {
  /** Names it on this page, and its upload to the server, so that a repeat stores it once. */
  key: string;
  file: File;
  /** The stored file's. Null: it is not there yet. */
  id: string | null;
  /** Why it did not get there. Null: it is there or on its way. */
  problem: string | null;
}

export interface UploadList {
  uploads: Upload[];
  /** How many of those added last were too many. */
  leftOut: number;
}

export type Change =
  | { type: "added"; files: { key: string; file: File }[] }
  | { type: "stored"; key: string; id: string }
  | { type: "failed"; key: string; problem: string }
  | { type: "retried"; key: string }
  | { type: "removed"; key: string }
  | { type: "cleared" };

export const NO_UPLOADS: UploadList = { uploads: [], leftOut: 0 };

/** What comes for a file that was removed meanwhile changes nothing. */
export function changed({ uploads, leftOut }: UploadList, change: Change): UploadList {
  const withOne = (key: string, changes: Partial<Upload>) => ({
    uploads: uploads.map((upload) => (upload.key === key ? { ...upload, ...changes } : upload)),
    leftOut,
  });
  switch (change.type) {
    case "added": {
      const taken = change.files.slice(0, room(uploads));
      return {
        uploads: [...uploads, ...taken.map((file) => ({ ...file, id: null, problem: null }))],
        leftOut: change.files.length - taken.length,
      };
    }
    case "stored":
      return withOne(change.key, { id: change.id, problem: null });
    case "failed":
      return withOne(change.key, { problem: change.problem });
    case "retried":
      return withOne(change.key, { problem: null });
    case "removed":
      return { uploads: uploads.filter(({ key }) => key !== change.key), leftOut: 0 };
    case "cleared":
      return NO_UPLOADS;
  }
}

export function room(uploads: Upload[]): number {
  return Math.max(0, MOST_FILES - uploads.length);
}

export function isUnderWay({ id, problem }: Upload): boolean {
  return id === null && problem === null;
}
