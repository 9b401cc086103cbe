import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    // The page is served under a policy that allows no inline scripts.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Some libraries carry directives for a compiler that has already run over them.
      onLog: (level, log, handle) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
  server: {
    proxy: { "^/(graphql|uploads|exports)": { target: "http://127.0.0.1:8000", ws: true } },
  },
});
