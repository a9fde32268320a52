/** Closing the tab or loading the page again asks first when something would be lost, and only then: in every editor. */
import type { Browser, Dialog, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launch } from "./chromium";
import { signedIn } from "./looking";
import { ADMIN_KEY, start, type Running } from "./server";

let running: Running;
let browser: Browser;
let page: Page;
const ids = { agent: "", workflow: "", source: "", connection: "" };

const EDITORS: [string, () => string, RegExp][] = [
  ["the agent", () => `/agents/${ids.agent}/general`, /^Enregistrer$/],
  ["an action", () => `/agents/${ids.agent}/actions/0`, /^Enregistrer$/],
  ["a step", () => `/agents/${ids.agent}/path`, /^Enregistrer$/],
  ["the failover", () => `/agents/${ids.agent}/failover`, /^Enregistrer le failover$/],
  ["a SIP connection", () => `/connections/${ids.connection}`, /^Enregistrer$/],
  ["a workflow", () => `/workflows/${ids.workflow}`, /^Enregistrer$/],
  ["a data source", () => `/knowledge/${ids.source}/settings`, /^Enregistrer$/],
  ["the settings", () => "/settings/privacy", /^Enregistrer$/],
];

async function made(path: string, document: object): Promise<string> {
  const answer = await fetch(`${running.url}/v1${path}`, { method: "POST", headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" }, body: JSON.stringify({ document }) });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { id: string }).id;
}

beforeAll(async () => {
  running = await start();
  browser = await launch();
  const action = { type: "transfer", name: "Transfert", description: "Quand on le demande.", destinations: [{ phone: "+33612345678", description: "Accueil" }] };
  const path = { start: "a", steps: [{ id: "a", type: "prompt", name: "Accueil", prompt: "Réponds." }] };
  ids.agent = await made("/agents", { name: "Sans perte", language: "fr-FR", prompt: "Réponds.", actions: [action], path, failover: { enabled: true, action: { type: "message", text: "Plus tard.", language: "fr-FR" } } });
  ids.workflow = await made("/workflows", { name: "Fiche", trigger: "pre_call", steps: [] });
  ids.source = await made("/data-sources", { name: "Fiches", language: "fr-FR" });
  ids.connection = await made("/sip-connections", { name: "Secours", host: "192.0.2.30" });
  page = await signedIn(browser, running.url, 8000);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});
beforeEach(() => page.removeAllListeners("dialog"));

/** The page is there and at rest. */
async function settled(): Promise<void> {
  await page.locator("#content h1").waitFor();
  await page.waitForLoadState("networkidle");
}

async function goTo(path: string): Promise<void> {
  page.once("dialog", (dialog) => void dialog.accept());
  await page.goto(running.url + path);
  page.removeAllListeners("dialog");
  await settled();
}

/** The text to be changed: the first of the document's. What stands in a form (the number of a test call) is sent at once, and not saved. */
const text = () => page.locator('#content :is(textarea, input[type="text"], input[type="number"]):enabled:not(form *)').first();

/** Whether the browser asks when the page is loaded again; the answer is to stay. What comes first tells: the question, or the page anew. */
async function asks(): Promise<boolean> {
  let come: (dialog: Dialog | null) => void = () => {};
  const first = new Promise<Dialog | null>((resolve) => (come = resolve));
  const anew = () => come(null);
  page.on("dialog", come).on("domcontentloaded", anew);
  try {
    const stayed = first.then(async (dialog) => {
      await dialog?.dismiss();
      return dialog?.type() === "beforeunload";
    });
    await page.evaluate(() => void setTimeout(() => location.reload()));
    if (await stayed) return true;
  } finally {
    page.off("dialog", come).off("domcontentloaded", anew);
  }
  await settled();
  await text().waitFor();
  return false;
}

describe.each(EDITORS)("%s", (_, path, button) => {
  test("asks once something is unsaved, and not before, nor when it was taken back or saved", async () => {
    await goTo(path());
    await text().waitFor();
    await page.keyboard.press("Shift");
    expect(await asks(), "untouched").toBe(false);
    await text().focus();
    await page.keyboard.press("End");
    await page.keyboard.type("1");
    expect(await asks(), "typed").toBe(true);
    await page.keyboard.press("Backspace");
    expect(await asks(), "taken back").toBe(false);
    await text().focus();
    await page.keyboard.press("End");
    await page.keyboard.type("1");
    await text().blur();
    const save = page.getByRole("button", { name: button }).first();
    await save.click();
    const stored = async () => (await save.count()) === 0 || (await save.evaluate((node: HTMLButtonElement) => node.disabled && node.getAttribute("aria-busy") === null));
    await expect.poll(stored).toBe(true);
    expect(await asks(), "saved").toBe(false);
  });
});

test("a number that was typed but not added yet is something unsaved too", async () => {
  await goTo(`/agents/${ids.agent}/numbers`);
  await page.getByRole("textbox", { name: "Numéro à ajouter" }).focus();
  await page.keyboard.type("0123");
  expect(await asks()).toBe(true);
});

test("the keys that save also save the name that is still being typed", async () => {
  await goTo(`/agents/${ids.agent}/actions/0`);
  await page.getByRole("textbox", { name: "Nom de l’action" }).focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("Vers le support");
  await page.keyboard.press("Control+s");
  await page.getByText("Brouillon enregistré").first().waitFor();
  await page.reload();
  expect(await page.getByRole("textbox", { name: "Nom de l’action" }).inputValue()).toBe("Vers le support");
});
