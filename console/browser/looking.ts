/** What the browser tests share: signing in, and looking at a page. */
import AxeBuilder from "@axe-core/playwright";
import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import { ADMIN_KEY } from "./server";

const SHOTS = process.env.SHOTS;

/** Violations that keep somebody out. */
async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.filter((item) => item.impact === "serious" || item.impact === "critical").map((item) => `${item.id}: ${item.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

/** No serious violation, nothing wider than the screen; a picture of it in the folder SHOTS, when that is set. */
export async function checked(page: Page, name: string): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(250);
  if (SHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(overflow, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
  expect.soft(await violations(page), name).toEqual([]);
}

/** Sign in; the first time make the account. */
export async function enter(page: Page): Promise<void> {
  await page.locator("form").waitFor();
  const key = page.locator('input[type="password"]');
  const first = (await key.count()) === 2;
  if (first) await key.first().fill(ADMIN_KEY);
  await page.locator('input[autocomplete="username"]').fill("accueil");
  await key.last().fill("un mot de passe long");
  await page.locator('button[type="submit"]').click();
  await page.locator("#content h1").waitFor();
}

/** A page of 1440 pixels in French, signed in; nothing on it is waited for longer than `patience` milliseconds. */
export async function signedIn(browser: Browser, url: string, patience: number): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: "fr-FR" })).newPage();
  page.setDefaultTimeout(patience);
  await page.goto(url);
  await enter(page);
  return page;
}
