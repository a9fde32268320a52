/** Every page at two widths: no serious accessibility violation, nothing wider than the screen, no error. Each language has a file, so that they run side by side. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./chromium";
import { checked, enter } from "./looking";
import { start, type Running } from "./server";

const AGENT = "/agents/cabinet";
const PAGES: [string, string][] = [
  ["agents", "/agents"],
  ["general", `${AGENT}/general`],
  ["voice", `${AGENT}/voice`],
  ["numbers", `${AGENT}/numbers`],
  ["path", `${AGENT}/path`],
  ["actions", `${AGENT}/actions`],
  ["action", `${AGENT}/actions/0`],
  ["failover", `${AGENT}/failover`],
  ["versions", `${AGENT}/versions`],
  ["calls", "/calls"],
  ["call", "/calls/seen"],
  ["call-failover", "/calls/missed"],
  ["knowledge", "/knowledge"],
  ["knowledge-documents", "/knowledge/patients/documents"],
  ["knowledge-settings", "/knowledge/patients/settings"],
  ["workflows", "/workflows"],
  ["workflow", "/workflows/commande/edit"],
  ["workflow-webhook", "/workflows/crm/edit"],
  ["workflow-try", "/workflows/commande/try"],
  ["workflow-runs", "/workflows/commande/runs"],
  ["workflow-run", "/workflows/commande/runs/run-bad"],
  ["workflow-deliveries", "/workflows/crm/deliveries"],
  ["connections", "/connections"],
  ["connection", "/connections/standard"],
  ["settings-general", "/settings/general"],
  ["settings-limits", "/settings/limits"],
  ["settings-privacy", "/settings/privacy"],
  ["settings-failover", "/settings/failover"],
  ["settings-alerts", "/settings/alerts"],
  ["settings-providers", "/settings/providers"],
  ["settings-keys", "/settings/keys"],
  ["settings-users", "/settings/users"],
  ["settings-secrets", "/settings/secrets"],
  ["settings-audit", "/settings/audit"],
  ["missing", "/nothing-here"],
];

export function everyPage(language: "fr" | "en"): void {
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

  test.each([1440, 390])(`in ${language}, %i px wide`, { timeout: 180_000 }, async (width) => {
    const context = await browser.newContext({ viewport: { width, height: 900 }, locale: language === "fr" ? "fr-FR" : "en-GB" });
    const page = await context.newPage();
    const broken: string[] = [];
    page.on("pageerror", (error) => broken.push(error.message));
    page.on("console", (said) => said.text().includes("Content Security Policy") && broken.push(said.text()));
    await page.goto(running.url);
    await page.locator("form").waitFor();
    await checked(page, `${language}-${width}-sign-in`);
    await enter(page);
    for (const [name, path] of PAGES) {
      await page.goto(running.url + path);
      await page.locator("main h1, main p").first().waitFor();
      await checked(page, `${language}-${width}-${name}`);
    }
    expect(broken).toEqual([]);
    await context.close();
  });
}
