/** What somebody waits for at first: the scripts of the page to sign in on, and of the list of agents after it, as they are compressed. */
import { gzipSync } from "node:zlib";
import type { Browser, Response } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./chromium";
import { enter } from "./looking";
import { start, type Running } from "./server";

const BUDGET = 400 * 1024;

let running: Running;
let browser: Browser;

beforeAll(async () => {
  running = await start();
  browser = await launch();
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

test("the first load is under 400 KB of compressed script", async () => {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "fr-FR" })).newPage();
  const scripts = new Map<string, Promise<number>>();
  const weigh = async (response: Response) => gzipSync(await response.body()).length;
  page.on("response", (response) => {
    if (response.request().resourceType() === "script") scripts.set(response.url(), weigh(response));
  });
  const total = async () => (await Promise.all(scripts.values())).reduce((sum, size) => sum + size, 0);
  await page.goto(running.url);
  await page.locator("form").waitFor();
  await page.waitForLoadState("networkidle");
  const first = await total();
  await enter(page);
  await page.waitForLoadState("networkidle");
  const listed = await total();
  console.log(`scripts, gzip: ${Math.round(first / 1024)} KB to sign in, ${Math.round(listed / 1024)} KB with the list of agents (${scripts.size} files)`);
  expect(scripts.size).toBeGreaterThan(0);
  expect(listed).toBeLessThan(BUDGET);
});
