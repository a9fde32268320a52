import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { environment: "node", include: ["browser/**/*.browser.ts"], fileParallelism: false, testTimeout: 60_000, hookTimeout: 90_000 },
});
