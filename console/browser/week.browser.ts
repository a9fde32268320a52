/** The opening hours of a transfer, drawn on the week with the mouse, with keys, and on a telephone's screen. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "./caller";
import { launch } from "./chromium";
import { checked, signedIn } from "./looking";
import { start, type Running } from "./server";

const TRANSFER = { type: "transfer", name: "Transfert", description: "Quelqu’un le demande.", destinations: [{ phone: "+33612345678", description: "Accueil" }] };
const range = (start: string, end: string, ...days: string[]) => ({ days, start, end });

let running: Running;
let browser: Browser;
let page: Page;
let agent = "";

const api = <T,>(method: string, path: string, body?: unknown) => ask<T>(running, method, path, body);

/** An agent whose only action has these ranges, opened at that action. */
async function opened(ranges: object[], mode = "inside"): Promise<void> {
  const document = { name: `Semaine ${Math.random()}`, language: "fr-FR", actions: [{ ...TRANSFER, schedule: { enabled: true, mode, ranges } }] };
  const made = await api<{ id: string }>("POST", "/agents", { document });
  agent = made.id;
  await page.goto(`${running.url}/agents/${agent}/actions/0`);
  await page.getByRole("group", { name: "Semaine" }).waitFor();
}

async function ranges(): Promise<unknown> {
  await page.keyboard.press("Control+s");
  await page.getByText("Brouillon enregistré").first().waitFor();
  const { document } = await api<{ document: { actions: { schedule: { ranges: unknown } }[] } }>("GET", `/agents/${agent}`);
  return document.actions[0]?.schedule.ranges;
}

const track = (day: string) => page.locator(`[data-track="${day}"]`);
const block = (name: string) => page.getByRole("button", { name, exact: true });
const status = () => page.getByRole("group", { name: "Semaine" }).locator("xpath=..").getByRole("status");

async function at(bar: Locator, hour: number): Promise<[number, number]> {
  const box = await bar.boundingBox();
  if (!box) throw new Error("the bar is not shown");
  return [box.x + (box.width * hour) / 24, box.y + box.height / 2];
}

async function drag(from: Locator, hour: number, to: Locator, until: number): Promise<void> {
  await page.mouse.move(...(await at(from, hour)));
  await page.mouse.down();
  await page.mouse.move(...(await at(to, (hour + until) / 2)), { steps: 3 });
  await page.mouse.move(...(await at(to, until)), { steps: 3 });
  await page.mouse.up();
}

beforeAll(async () => {
  running = await start();
  browser = await launch();
  page = await signedIn(browser, running.url, 8000);
  page.on("dialog", (asked) => void asked.accept());
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

test("ranges are drawn, several on one day", async () => {
  await opened([range("09:00", "12:00", "monday")]);
  await track("monday").scrollIntoViewIfNeeded();
  await drag(track("monday"), 14, track("monday"), 17.5);
  await drag(track("tuesday"), 18, track("tuesday"), 8);
  await checked(page, "week-drawn");
  expect(await ranges()).toEqual([range("08:00", "18:00", "tuesday"), range("09:00", "12:00", "monday"), range("14:00", "17:30", "monday")]);
});

test("an end is dragged, and the other end stays", async () => {
  await opened([range("09:00", "12:00", "monday")]);
  await track("monday").scrollIntoViewIfNeeded();
  await drag(track("monday"), 11.95, track("monday"), 15);
  await block("Lundi 09:00–15:00").waitFor();
  await drag(track("monday"), 9.05, track("monday"), 7.25);
  expect(await ranges()).toEqual([range("07:15", "15:00", "monday")]);
});

test("an end that is dragged over the other leaves the shortest range, never one that ends before it begins", async () => {
  await opened([range("09:00", "12:00", "monday")]);
  await track("monday").scrollIntoViewIfNeeded();
  await drag(track("monday"), 11.95, track("monday"), 3);
  expect(await ranges()).toEqual([range("09:00", "09:15", "monday")]);
});

test("a range is moved, also to another day, and never out of the day", async () => {
  await opened([range("09:00", "12:00", "monday")]);
  await track("monday").scrollIntoViewIfNeeded();
  await drag(track("monday"), 10.5, track("wednesday"), 23.9);
  expect(await ranges()).toEqual([range("21:00", "24:00", "wednesday")]);
});

test("ranges that overlap are one, and it is said", async () => {
  await opened([range("09:00", "12:00", "monday"), range("14:00", "17:00", "monday")]);
  await track("monday").scrollIntoViewIfNeeded();
  await drag(track("monday"), 11.95, track("monday"), 15);
  await block("Lundi 09:00–17:00").waitFor();
  expect(await status().textContent()).toMatch(/Réunie avec la plage voisine\s: Lundi 09:00–17:00/);
  expect(await ranges()).toEqual([range("09:00", "17:00", "monday")]);
});

test("a range is taken away, and comes back with undo", async () => {
  await opened([range("09:00", "12:00", "monday"), range("14:00", "17:00", "monday")]);
  await track("monday").scrollIntoViewIfNeeded();
  await page.mouse.click(...(await at(track("monday"), 15.5)));
  await page.getByRole("button", { name: "Retirer cette plage" }).click();
  expect(await block("Lundi 14:00–17:00").count()).toBe(0);
  await page.getByRole("button", { name: "Annuler la dernière modification" }).click();
  await block("Lundi 14:00–17:00").waitFor();
});

test("a click on the empty bar adds nothing, and Escape or a lost pointer leaves all as it was", async () => {
  await opened([range("09:00", "12:00", "monday")]);
  await track("monday").scrollIntoViewIfNeeded();
  await page.mouse.click(...(await at(track("monday"), 20)));
  await page.mouse.move(...(await at(track("monday"), 10)));
  await page.mouse.down();
  await page.mouse.move(...(await at(track("monday"), 18)), { steps: 3 });
  await page.keyboard.press("Escape");
  await page.mouse.up();
  await block("Lundi 09:00–12:00").waitFor();
  expect(await page.getByText("Modifications non enregistrées").count()).toBe(0);
});

test("the hours of a day are copied to others, whose own go", async () => {
  await opened([range("09:00", "12:00", "monday"), range("14:00", "17:00", "monday"), range("10:00", "11:00", "tuesday")]);
  await page.getByRole("button", { name: "Copier les heures : Lundi" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("09:00–12:00, 14:00–17:00").waitFor();
  expect(await dialog.getByLabel("Lundi").count()).toBe(0);
  expect(await dialog.getByRole("button", { name: "Copier" }).isDisabled()).toBe(true);
  await dialog.getByRole("button", { name: "Du lundi au vendredi" }).click();
  await dialog.getByLabel("Vendredi").uncheck();
  await checked(page, "week-copy");
  await dialog.getByRole("button", { name: "Copier" }).click();
  expect(await ranges()).toEqual([range("09:00", "12:00", "monday", "tuesday", "wednesday", "thursday"), range("14:00", "17:00", "monday", "tuesday", "wednesday", "thursday")]);
});

test("with keys a range is moved, made longer and taken away, and stops before the next one", async () => {
  await opened([range("09:00", "12:00", "monday"), range("12:30", "17:00", "monday")]);
  await page.getByRole("switch", { name: "Restreindre le transfert" }).focus();
  for (let count = 0; count < 6 && !(await block("Lundi 09:00–12:00").evaluate((node) => node === document.activeElement)); count += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Shift+ArrowRight");
  await block("Lundi 08:45–12:00").waitFor();
  for (let count = 0; count < 4; count += 1) await page.keyboard.press("Shift+ArrowRight");
  await block("Lundi 08:45–12:15").waitFor();
  expect(await status().textContent()).toContain("Une autre plage commence là");
  await page.keyboard.press("Delete");
  expect(await page.evaluate(() => document.activeElement?.getAttribute("data-copy"))).toBe("monday");
  expect(await ranges()).toEqual([range("12:30", "17:00", "monday")]);
});

test("more different ranges than an action holds are refused with the reason", async () => {
  const many = Array.from({ length: 100 }, (_, index) => {
    const start = (index % 33) * 30;
    const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
    return range(clock(start), clock(start + 5 + Math.floor(index / 33)), ["monday", "tuesday", "wednesday", "thursday"][Math.floor(index / 33)] ?? "");
  });
  await opened(many);
  await track("sunday").scrollIntoViewIfNeeded();
  await drag(track("sunday"), 9, track("sunday"), 11);
  expect(await status().textContent()).toContain("au plus 100 plages");
  expect(await page.getByText("Modifications non enregistrées").count()).toBe(0);
});

test("where the transfer is possible outside the hours, the hours are still what is drawn", async () => {
  await opened([range("09:00", "17:00", "monday")], "outside");
  await track("monday").scrollIntoViewIfNeeded();
  await page.getByText("00:00–09:00, 17:00–24:00").waitFor();
  await drag(track("monday"), 16.95, track("monday"), 18);
  await page.getByText("00:00–09:00, 18:00–24:00").waitFor();
  await checked(page, "week-outside");
  expect(await ranges()).toEqual([range("09:00", "18:00", "monday")]);
});

test("on a telephone's screen", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await opened([range("09:00", "12:00", "monday", "tuesday"), range("14:00", "17:00", "monday", "tuesday", "thursday")]);
  await track("friday").scrollIntoViewIfNeeded();
  await drag(track("friday"), 9, track("friday"), 12);
  await block("Vendredi 09:00–12:00").waitFor();
  await checked(page, "week-390");
});
