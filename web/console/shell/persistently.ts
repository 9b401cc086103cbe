const PAUSES_MS = [300, 1_000, 3_000];

/** Loads a part of the console, again where the line was cut or a server was just being restarted. */
export function persistently<Loaded>(load: () => Promise<Loaded>): () => Promise<Loaded> {
  return async () => {
    for (const pause of PAUSES_MS) {
      try {
        return await load();
      } catch {
        await new Promise((resolve) => window.setTimeout(resolve, pause));
      }
    }
    return load();
  };
}
