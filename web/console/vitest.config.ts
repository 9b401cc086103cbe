import { defineConfig } from "vitest/config";

export default defineConfig({
  cacheDir: "../node_modules/.vite-console",
  test: { environment: "jsdom", include: ["**/*.test.{ts,tsx}"] },
});
