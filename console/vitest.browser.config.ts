import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  test: { environment: "node", include: ["browser/**/*.browser.ts"], maxWorkers: 2, testTimeout: 60_000, hookTimeout: 150_000 },
});
