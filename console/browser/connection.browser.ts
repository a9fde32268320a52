/** The test call of a SIP connection: to a telephone that answers (SIPp), and to nobody. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, callsFromHere } from "./caller";
import { launch } from "./chromium";
import { checked, signedIn } from "./looking";
import { SIP_PORT, start, type Running } from "./server";

const ANSWERS = SIP_PORT + 10_000;

let running: Running;
let browser: Browser;
let page: Page;
let telephone: ChildProcess;

beforeAll(async () => {
  running = await start();
  telephone = spawn("sipp", ["-sn", "uas", "-i", "127.0.0.1", "-p", String(ANSWERS), "-nostdin"], { stdio: "ignore" });
  browser = await launch();
  page = await signedIn(browser, running.url, 10_000);
});
afterAll(async () => {
  telephone?.kill();
  await browser?.close();
  await running?.stop();
});

async function call(to: string): Promise<void> {
  await page.goto(`${running.url}/connections/standard`);
  await page.getByLabel("Numéro ou poste à appeler").fill(to);
  await page.getByRole("button", { name: "Appeler", exact: true }).click();
}

test("nothing is called without a number, and the page says so", async () => {
  await call("");
  await page.getByText("À remplir.").waitFor();
  await checked(page, "connection-test-call");
});

test("nobody there: the call's page says that it could not be reached", { timeout: 60_000 }, async () => {
  await callsFromHere(running);
  await call("06 12 34 56 78");
  await page.waitForURL(/\/calls\/[0-9a-f]+$/);
  await page.getByText("Injoignable").first().waitFor({ timeout: 30_000 });
});

test("a telephone that answers hears the agent, and is hung up on from the call's page", { timeout: 60_000 }, async () => {
  const { document } = await ask<{ document: object }>(running, "GET", "/sip-connections/standard");
  await ask(running, "PUT", "/sip-connections/standard", { ...document, host: "127.0.0.1", port: ANSWERS });
  await call("+33612345679");
  await page.waitForURL(/\/calls\/[0-9a-f]+$/);
  await page.getByText("Cabinet médical, bonjour.").first().waitFor({ timeout: 20_000 });
  await page.getByRole("button", { name: "Raccrocher" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Raccrocher" }).click();
  await page.getByText("Terminé").first().waitFor();
  const { items } = await ask<{ items: { connection_id: string; called: string }[] }>(running, "GET", "/calls?limit=1");
  expect(items[0]?.called).toBe("+33612345679");
});
