/**
 * The whole story, in both languages, as somebody at a front desk lives it: an agent from nothing with two steps, a transfer with
 * a week of hours and a French Excel file with bad rows, a failover message; publish; call it by SIP and from the browser; read
 * the calls.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { AgentDraft } from "@/api/types";
import { ask, callsFromHere, sipCall } from "./caller";
import { launch, microphone } from "./chromium";
import { checked, enter } from "./looking";
import { start, type Running } from "./server";
import { caller } from "./speech";
import { starts, words } from "./words";

const EXCEL_FRENCH = Buffer.from("phone;description\r\n0612345679;Comptabilité\r\n06 12 34 56 80;Direction\r\n3,36E+10;Perdu\r\n0612345679;Encore\r\nbonjour;\r\n", "latin1");

const LIVES = {
  fr: { locale: "fr-FR", name: "Maison Lilas", greeting: "Maison Lilas, bonjour.", first: "Étage un", second: "Étage deux", when: "La personne demande le service comptable.", message: "Nos services sont indisponibles." },
  en: { locale: "en-GB", name: "Lilac House", greeting: "Lilac House, hello.", first: "First floor", second: "Second floor", when: "The caller asks for accounting.", message: "Our services are unavailable." },
} as const;

let running: Running;
let browser: Browser;

beforeAll(async () => {
  running = await start();
  await callsFromHere(running);
  browser = await launch(...microphone(caller("bonjour", 6)));
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

describe.each(["fr", "en"] as const)("in %s", (language) => {
  const t = words(language);
  const life = LIVES[language];
  const number = language === "fr" ? "01 23 45 67 70" : "01 23 45 67 71";
  const e164 = `+33${number.replaceAll(" ", "").slice(1)}`;
  let page: Page;
  let failed = false;

  beforeAll(async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: life.locale, permissions: ["microphone"] });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(running.url);
    await enter(page);
  }, 90_000);
  afterEach(async ({ task }) => {
    failed ||= task.result?.state === "fail";
    if (failed && process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/failed-${language}.png`, fullPage: true });
  });
  afterAll(() => page.context().close());

  const button = (name: string | RegExp, within: Page | ReturnType<Page["locator"]> = page) => within.getByRole("button", { name });
  const tab = (key: string) => page.getByRole("navigation", { name: t("editor.parts") }).getByRole("link", { name: t(`editor.tab.${key}`) });
  const box = (name: string, within: Page | ReturnType<Page["locator"]> = page) => within.getByRole("textbox", { name: starts(name) });
  const dialog = () => page.getByRole("dialog");

  async function calm(): Promise<void> {
    while ((await button(t("ui.dismiss")).count()) > 0) await button(t("ui.dismiss")).first().click();
  }

  async function save(): Promise<void> {
    await button(t("ui.save")).first().click();
    await page.getByText(t("editor.saved")).waitFor();
    await calm();
  }

  /** As it is stored, of the agent whose page is open. */
  async function draft(): Promise<AgentDraft["document"]> {
    const [, id] = /agents\/([^/]+)/.exec(page.url()) ?? [];
    return (await ask<AgentDraft>(running, "GET", `/agents/${id}`)).document;
  }

  test("an agent from nothing, with a number", async () => {
    await button(t("agents.new")).click();
    await dialog().getByLabel(t("newAgent.name"), { exact: true }).fill(life.name);
    await dialog().getByRole("radio", { name: starts(t("newAgent.blank")) }).check();
    await button(t("newAgent.create")).click();
    await page.getByRole("heading", { level: 1, name: life.name }).waitFor();
    await box(t("fields.greeting")).fill(life.greeting);
    await tab("numbers").click();
    await page.getByLabel(t("phone.country")).selectOption("FR");
    await box(t("numbers.new")).fill(number);
    await button(t("ui.add")).click();
    await save();
  });

  test("a transfer, open on week days, to the numbers of a file", async () => {
    await tab("actions").click();
    await button(t("actions.addKind", { kind: t("actions.kind.transfer") })).click();
    await page.getByLabel(t("schedule.enable")).click();
    const hours = page.getByRole("group", { name: t("schedule.hours") });
    for (const [from, until] of [["9", "12h"], ["14", "17h30"]] as const) {
      await hours.getByRole("textbox", { name: t("fields.start") }).fill(from);
      await hours.getByRole("textbox", { name: t("fields.end") }).fill(until);
      await button(t("ui.add"), hours).click();
    }
    await button(t("transfer.import")).click();
    await dialog().getByLabel(t("import.country")).selectOption("FR");
    await dialog().locator('input[type="file"]').setInputFiles({ name: "numeros.csv", mimeType: "text/csv", buffer: EXCEL_FRENCH });
    await dialog().getByText("Comptabilité").waitFor();
    expect(await button(t("import.refused", { count: 2 }), dialog()).count()).toBe(1);
    await button(t("import.confirm", { count: 2 }), dialog()).click();
    await page.getByText("+33 6 12 34 56 80", { exact: true }).waitFor();
    await checked(page, `line-${language}-transfer`);
    await save();
    await page.getByRole("link", { name: t("actions.back") }).click();
    expect(await button(t("actions.addKind", { kind: t("actions.kind.hang_up") })).isDisabled()).toBe(true); // a new agent can hang up
  });

  test("two steps, the second after the first, with the transfer on", async () => {
    await tab("path").click();
    await button(t("path.create")).click();
    await box(t("fields.stepName")).fill(life.first);
    await box(t("fields.stepPrompt")).fill(life.greeting);
    await button(t("path.addStep")).click();
    await page.getByRole("menuitem", { name: starts(t("path.kind.prompt")) }).click();
    await box(t("fields.stepName")).fill(life.second);
    await box(t("fields.stepPrompt")).fill(life.when);
    const transfer = (await draft()).actions.find(({ type }) => type === "transfer")?.name ?? "";
    const step = page.getByRole("region", { name: t("path.panel", { name: life.second }) });
    const on = step.getByRole("switch", { name: transfer, exact: true });
    await on.click();
    await expect.poll(() => on.isChecked()).toBe(true);
    await button(starts(life.first), page.getByRole("navigation", { name: t("path.outline") })).click();
    if ((await box(t("fields.transitionDescription")).count()) === 0) {
      await button(t("path.addTransition")).click();
      await page.getByLabel(t("fields.to")).last().selectOption({ label: life.second });
    }
    await box(t("fields.transitionDescription")).last().fill(life.when);
    await checked(page, `line-${language}-path`);
    await save();
    expect((await draft()).path?.steps).toMatchObject([{ name: life.first }, { name: life.second, actions: [transfer] }]);
  });

  test("a failover message, live from the next call", async () => {
    await tab("failover").click();
    if ((await button(t("failover.switchOn")).count()) > 0) await button(t("failover.switchOn")).click();
    await page.getByLabel(t("fields.failoverEnabled")).click();
    await page.getByRole("radio", { name: starts(t("failover.kind.message")) }).check();
    await box(t("fields.spokenText")).first().fill(life.message);
    await button(t("failover.save")).click();
    await page.getByText(t("failover.saved")).waitFor();
    await calm();
  });

  test("published", async () => {
    await button(t("editor.publish")).first().click();
    await button(t("publish.do"), dialog()).click();
    await page.getByText(t("editor.liveVersion", { version: 1 })).first().waitFor();
    await calm();
  });

  test("called over SIP by its number, it greets", { timeout: 60_000 }, async () => {
    const call = await sipCall(e164, 4);
    expect(call.code).toBe(200);
    expect(call.speechSeconds).toBeGreaterThan(0.5);
  });

  test("called from the browser, it greets", { timeout: 90_000 }, async () => {
    await page.getByRole("button", { name: t("talk.open"), exact: true }).click();
    const panel = page.getByRole("dialog", { name: t("talk.title", { name: life.name }) });
    await panel.getByText(t("talk.live", { version: 1 })).click();
    await button(t("talk.call"), panel).click();
    await panel.getByText(life.greeting).first().waitFor({ timeout: 20_000 });
    await checked(page, `line-${language}-call`);
    await panel.getByRole("button", { name: t("talk.hangUp"), exact: true }).click();
    await panel.getByRole("link", { name: t("talk.seeCall") }).click();
    await page.getByText(life.greeting).first().waitFor();
    await checked(page, `line-${language}-call-page`);
  });

  test("both calls are in the list", async () => {
    await page.goto(`${running.url}/calls`);
    const row = page.getByRole("row").filter({ hasText: life.name });
    await row.nth(1).waitFor();
    expect(await row.count()).toBe(2);
    expect(await row.filter({ hasText: t("calls.fromBrowser") }).count()).toBe(1);
    await checked(page, `line-${language}-calls`);
    await row.last().getByRole("link").first().click();
    await page.getByText(life.greeting).first().waitFor();
  });
});
