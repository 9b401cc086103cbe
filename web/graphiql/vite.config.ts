import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/graphql/",
  plugins: [react()],
  build: {
    outDir: "../dist/graphiql",
    emptyOutDir: true,
    // The page is served under a policy that allows neither inline scripts nor other origins.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Some libraries carry directives for a compiler that has already run over them.
      onLog: (level, log, handle) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
    // The editor is one large library; splitting it further would not make the page lighter.
    chunkSizeWarningLimit: 5000,
  },
  worker: { format: "es" },
  server: { proxy: { "^/graphql$": { target: "http://127.0.0.1:8000", ws: true } } },
});
