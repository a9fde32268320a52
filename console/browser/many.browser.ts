/** A transfer to ten thousand numbers: loaded, searched, changed, imported and stored. Prints how long each took. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "./caller";
import { launch } from "./chromium";
import { signedIn } from "./looking";
import { ADMIN_KEY, start, type Running } from "./server";

const COUNT = 10_000;
/** A key that is answered later than this is felt as a fault on any machine. */
const SLOWEST_KEY_MS = 1000;
const phone = (index: number) => `+3361200${String(index).padStart(4, "0")}`;
const DESTINATIONS = Array.from({ length: COUNT }, (_, index) => ({ phone: phone(index), description: `Agence ${index}` }));

let running: Running;
let browser: Browser;
let page: Page;

const api = <T,>(method: string, path: string, body?: unknown) => ask<T>(running, method, path, body);

const agent = async (destinations: object[]) => (await api<{ id: string }>("POST", "/agents", { document: { name: `Réseau ${destinations.length}`, language: "fr-FR", actions: [{ type: "transfer", name: "Transfert", description: "Vers une agence.", destinations }] } })).id;
const stored = async (id: string) => (await api<{ document: { actions: { destinations: { phone: string; description: string }[] }[] } }>("GET", `/agents/${id}`)).document.actions[0]?.destinations ?? [];

async function timed(what: string, act: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  await act();
  console.log(`${what}: ${Math.round(performance.now() - begun)} ms`);
}

/** How long each key took until the page was drawn again, by the browser's own measure. */
async function keyDelays(text: string): Promise<number[]> {
  await page.evaluate(() => {
    const held = window as unknown as { __delays: number[] };
    held.__delays = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === "keydown") held.__delays.push(entry.duration);
    }).observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
  });
  await page.keyboard.type(text, { delay: 150 });
  await page.waitForTimeout(400);
  const slow = await page.evaluate(() => (window as unknown as { __delays: number[] }).__delays);
  // keys below the threshold are not told of
  return [...slow, ...Array<number>(Math.max(0, text.length - slow.length)).fill(16)].sort((one, other) => one - other);
}

function report(what: string, delays: number[]): void {
  const median = delays[Math.floor(delays.length / 2)] ?? 0;
  const worst = delays.at(-1) ?? 0;
  console.log(`${what}: median ${median} ms, worst ${worst} ms a key`);
  expect(median).toBeLessThan(SLOWEST_KEY_MS);
}

beforeAll(async () => {
  running = await start();
  browser = await launch();
  page = await signedIn(browser, running.url, 30_000);
  page.on("dialog", (asked) => void asked.accept());
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

test("ten thousand stored destinations: a page of them at a time, searched, changed and stored", { timeout: 180_000 }, async () => {
  const id = await agent(DESTINATIONS);
  await timed("page loaded", async () => {
    await page.goto(`${running.url}/agents/${id}/actions/0`);
    await page.getByText("Page 1 sur 400").waitFor();
  });
  expect(await page.getByRole("button", { name: /^Retirer \+33/ }).count()).toBe(25);
  await page.getByRole("textbox", { name: "Description", exact: true }).first().focus();
  report("typing in the description of the action", await keyDelays("Vers une agence du réseau."));
  await page.getByRole("textbox", { name: /^Description de \+33/ }).first().focus();
  report("typing in the description of a destination", await keyDelays("Siège social"));
  await page.getByRole("searchbox", { name: /^Chercher/ }).focus();
  report("searching", await keyDelays("Agence 9999"));
  await expect.poll(() => page.getByRole("button", { name: /^Retirer \+33/ }).count()).toBe(1);
  await page.getByRole("button", { name: /^Retirer \+33/ }).click();
  await page.getByRole("searchbox", { name: /^Chercher/ }).fill("");
  await timed("saved", async () => {
    await page.keyboard.press("Control+s");
    await page.getByText("Brouillon enregistré").first().waitFor();
  });
  const kept = await stored(id);
  expect(kept).toHaveLength(COUNT - 1);
  expect(kept[0]?.description).toContain("Siège social");
  expect(kept.map((item) => item.phone)).not.toContain(phone(9999));
});

test("a file of ten thousand rows is looked at, added and stored", { timeout: 180_000 }, async () => {
  const id = await agent([{ phone: "+33145678901", description: "Siège" }]);
  await page.goto(`${running.url}/agents/${id}/actions/0`);
  await page.getByRole("button", { name: "Importer un CSV" }).click();
  const rows = DESTINATIONS.slice(1).map((item) => `${item.phone},${item.description}`);
  const buffer = Buffer.from(["phone,description", ...rows, "pas un numéro,"].join("\r\n"));
  const dialog = page.getByRole("dialog");
  await timed("file read and shown", async () => {
    await dialog.locator('input[type="file"]').setInputFiles({ name: "reseau.csv", mimeType: "text/csv", buffer });
    await dialog.getByRole("button", { name: "1 refusée" }).waitFor();
  });
  expect(await dialog.getByRole("row").count()).toBeLessThanOrEqual(201);
  await timed("added", async () => {
    await dialog.getByRole("button", { name: /^Ajouter 9.?999 numéros$/ }).click();
    await page.getByText("Page 1 sur 400").waitFor();
  });
  await timed("saved", async () => {
    await page.keyboard.press("Control+s");
    await page.getByText("Brouillon enregistré").first().waitFor();
  });
  expect(await stored(id)).toHaveLength(COUNT);
});

test("what publishing would change is shown a page at a time", { timeout: 120_000 }, async () => {
  const id = await agent(DESTINATIONS.slice(0, 1));
  const { revision } = await api<{ revision: number }>("GET", `/agents/${id}`);
  await fetch(`${running.url}/v1/agents/${id}/publish`, { method: "POST", headers: { authorization: `Bearer ${ADMIN_KEY}`, "if-match": `"${revision}"` } });
  const { document } = await api<{ document: { actions: { destinations: object[] }[] } }>("GET", `/agents/${id}`);
  for (const action of document.actions) action.destinations = DESTINATIONS;
  const put = await fetch(`${running.url}/v1/agents/${id}`, { method: "PUT", headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json", "if-match": `"${revision}"` }, body: JSON.stringify(document) });
  expect(put.status).toBe(200);
  await page.goto(`${running.url}/agents/${id}/general`);
  await timed("differences shown", async () => {
    await page.getByRole("button", { name: "Publier" }).click();
    await page.getByRole("dialog").getByText(/^9.?999 changements$/).waitFor();
  });
  expect(await page.getByRole("dialog").getByRole("listitem").count()).toBeLessThanOrEqual(101);
});

test("one more than ten thousand cannot be added, and it is said before", { timeout: 120_000 }, async () => {
  const id = await agent(DESTINATIONS);
  await page.goto(`${running.url}/agents/${id}/actions/0`);
  await page.getByText("Page 1 sur 400").waitFor();
  await page.getByRole("textbox", { name: "Numéro de téléphone" }).fill("0145678901");
  expect(await page.getByRole("button", { name: "Ajouter", exact: true }).first().isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Importer un CSV" }).click();
  await page.locator('input[type="file"]').setInputFiles({ name: "un.csv", mimeType: "text/csv", buffer: Buffer.from("phone\r\n+33145678901") });
  await page.getByText("Il ne reste de place que pour 0 numéros").waitFor();
  expect(await page.getByRole("dialog").getByRole("button", { name: /^Ajouter/ }).isDisabled()).toBe(true);
});
