/** A real Parlons server for one file of the browser tests: its own data, its own ports, ended with the run. It shows what `npm run build` made. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CONSOLE = fileURLToPath(new URL("..", import.meta.url));
export const PYTHON = process.env.PARLONS_PYTHON ?? join(CONSOLE, "../.venv/bin/python");
/** Two files at a time may have a server each. */
const WORKER = Number(process.env.VITEST_POOL_ID ?? 1) - 1;
const PORT = Number(process.env.PARLONS_TEST_PORT ?? 8123) + WORKER;
/** Where the server takes SIP. */
export const SIP_PORT = 5399 + 2 * WORKER;
const RTP_PORT = 29_000 + 100 * WORKER;
export const ADMIN_KEY = "browser-tests-admin-key-0123456789";

export interface Running {
  url: string;
  /** Its data directory. */
  data: string;
  stop: () => Promise<void>;
}

export async function start(): Promise<Running> {
  const data = mkdtempSync(join(tmpdir(), "parlons-console-"));
  const seeded = spawnSync(PYTHON, [join(CONSOLE, "browser/seed.py"), data], { encoding: "utf8" });
  if (seeded.status !== 0) throw new Error(seeded.stderr);
  const server = spawn(PYTHON, ["-m", "parlons", "serve"], {
    cwd: join(CONSOLE, ".."),
    stdio: ["ignore", "ignore", "ignore"],
    env: {
      ...process.env,
      PARLONS_HTTP_PORT: String(PORT),
      PARLONS_SIP_HOST: "127.0.0.1",
      PARLONS_SIP_PORT: String(SIP_PORT),
      PARLONS_RTP_PORT_MIN: String(RTP_PORT),
      PARLONS_RTP_PORT_MAX: String(RTP_PORT + 99),
      PARLONS_DATA_DIR: data,
      PARLONS_ADMIN_KEY: ADMIN_KEY,
      PARLONS_CONFIG: "examples/rendez-vous",
    },
  });
  const own = `http://127.0.0.1:${PORT}`;
  try {
    await until(async () => (await fetch(`${own}/v1/health`)).ok);
  } catch (error) {
    server.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true });
    throw error;
  }
  return {
    url: own,
    data,
    stop: async () => {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (await holds().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("the server does not answer: is it installed (make run), and are its ports free?");
}
