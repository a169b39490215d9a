import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Where `npm run dev` finds a running vigia-monitor.
const monitor = process.env["VIGIA_MONITOR"] ?? "http://127.0.0.1:8090";

export default defineConfig({
  plugins: [react()],
  build: {
    // The monitor serves the page under `script-src 'self'; style-src 'self'; img-src 'self'`:
    // nothing may be inlined, neither the preload polyfill nor small pictures as data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: {
      // Libraries change less often than our pages: apart, they stay in people's browsers.
      output: { manualChunks: { react: ["react", "react-dom/client"], uplot: ["uplot"] } },
    },
  },
  server: { host: "127.0.0.1", proxy: { "/api": monitor } },
  test: {
    environment: "jsdom",
    restoreMocks: true,
    // One process and one jsdom for all files: of its own for each, they took two thirds of the time. A process and not a
    // thread, for a thread cannot change TZ. What a test leaves in a module is the next file's to find: none may.
    pool: "forks",
    poolOptions: { forks: { singleFork: true, isolate: false } },
    testTimeout: 30_000,
    setupFiles: ["src/testing/setup.ts"],
  },
});
