/** A real Parlons server for one run of the browser tests: its own data, its own ports, ended with the run. It shows what `npm run build` made. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CONSOLE = fileURLToPath(new URL("..", import.meta.url));
const PYTHON = process.env.PARLONS_PYTHON ?? join(CONSOLE, "../.venv/bin/python");
const PORT = Number(process.env.PARLONS_TEST_PORT ?? 8123);
export const ADMIN_KEY = "browser-tests-admin-key-0123456789";

export interface Running {
  url: string;
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
      PARLONS_SIP_PORT: "5399",
      PARLONS_RTP_PORT_MIN: "29000",
      PARLONS_RTP_PORT_MAX: "29099",
      PARLONS_DATA_DIR: data,
      PARLONS_ADMIN_KEY: ADMIN_KEY,
      PARLONS_CONFIG: "examples/rendez-vous",
    },
  });
  const own = `http://127.0.0.1:${PORT}`;
  await until(async () => (await fetch(`${own}/v1/health`)).ok);
  return {
    url: own,
    stop: async () => {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (await holds().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("the server does not answer: is it installed (make run), and are its ports free?");
}
