/**
 * The failover tab beside real calls: what is not saved is in none of them, what is saved is in the next one, and the rest of the
 * draft stays where it is. And what is tried is no call.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, callsFromHere, sipCall } from "./caller";
import { launch } from "./chromium";
import { checked, signedIn } from "./looking";
import { start, type Running } from "./server";

const CLOSED = "Nos bureaux sont fermés toute la matinée.";
const SORRY = "Nous rencontrons un problème technique. Merci de rappeler dans quelques minutes.";
const GREETING = "Cabinet médical, bonjour. Que puis-je faire pour vous ?";
const SAME_WORDS = 0.6;

let running: Running;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  running = await start();
  await callsFromHere(running);
  browser = await launch();
  page = await signedIn(browser, running.url, 10_000);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

const button = (name: string | RegExp, within: Page | ReturnType<Page["locator"]> = page) => within.getByRole("button", { name });
const tab = (name: string) => page.getByRole("navigation", { name: "Parties de l’agent" }).getByRole("link", { name });
const row = (title: string) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title }) });

const api = <T,>(method: string, path: string, body?: unknown) => ask<T>(running, method, path, body);

/** A real call over SIP: which phrases its caller heard. */
async function call(...phrases: string[]): Promise<string[]> {
  const { code, heard } = await sipCall("cabinet", 40, phrases);
  expect(code).toBe(200);
  return phrases.filter((phrase) => (heard[phrase] ?? 0) > SAME_WORDS);
}

interface Call {
  status: string;
  trigger: string | null;
  failover_action: string | null;
  failover_outcome: string | null;
  agent_version: number;
}

/** The newest call, once it is over. */
async function lastCall(): Promise<Call> {
  for (let tries = 0; tries < 40; tries++) {
    const { items } = await api<{ items: Call[] }>("GET", "/calls?limit=1");
    if (items[0] && items[0].status !== "in_progress") return items[0];
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("the call is not over");
}

const countCalls = async () => (await api<{ items: Call[] }>("GET", "/calls?limit=200")).items.length;

async function save(): Promise<void> {
  const saved = page.waitForResponse((response) => response.request().method() === "PUT" && response.url().endsWith("/failover"));
  await button("Enregistrer le failover").click();
  expect((await saved).status()).toBe(200);
}

test("a message, forced for the maintenance, is what a call gets once it is saved", async () => {
  await page.goto(`${running.url}/agents/cabinet/failover`);
  await button("Activer pour l’installation").click();
  await page.getByText("Le failover est activé pour l’installation").first().waitFor();
  await page.getByLabel("Activer le failover").click();
  await page.getByRole("radio", { name: /^Dire un message/ }).check();
  await page.getByRole("textbox", { name: "Phrase à dire" }).first().fill(CLOSED);
  await button("Pendant 1 heure").click();
  await save();
  expect(await call(CLOSED, SORRY, GREETING)).toEqual([CLOSED]);
  expect(await lastCall()).toMatchObject({ status: "failover", trigger: "operator_forced", failover_action: "message", failover_outcome: "played" });
});

test("an edit of the draft is not published by what follows", async () => {
  await tab("Général").click();
  await page.getByRole("textbox", { name: /^Phrase d’accueil/ }).fill("Un tout autre accueil.");
  await button("Enregistrer").first().click();
  await page.getByText("Brouillon enregistré").first().waitFor();
  await tab("Failover").click();
});

test("another kind, not saved: the old one on a real call", async () => {
  await page.getByRole("radio", { name: /^Transfert d’appel/ }).check();
  await page.getByRole("textbox", { name: /Numéro/ }).first().fill("01 23 45 67 80");
  await page.getByText("Modifié, pas encore enregistré").waitFor();
  expect(await call(CLOSED, SORRY, GREETING)).toEqual([CLOSED]);
  expect(await lastCall()).toMatchObject({ failover_action: "message", failover_outcome: "played" });
});

test("what is tried is what the form holds, rings nobody and is no call", async () => {
  const before = await countCalls();
  await page.getByText("L’essai porte sur ce que vous voyez ici").waitFor();
  await button("Essayer : Aucun service disponible").click();
  const tried = row("Aucun service disponible");
  await tried.getByText("L’appelant est mis en relation.").waitFor({ timeout: 20_000 });
  await tried.getByText(/Composé/).first().waitFor();
  await page.getByLabel("La personne qui serait appelée").selectOption("busy");
  await tried.getByText("Modifié depuis").waitFor();
  await button("Essayer : Aucun service disponible").click();
  await tried.getByText("L’appelant entend le message d’erreur par défaut.").waitFor({ timeout: 30_000 });
  await tried.getByText("+33 1 23 45 67 80 : Occupé").first().waitFor();
  await tried.getByText("Merci de rappeler dans quelques minutes").first().waitFor();
  const seconds = await tried.locator("audio").evaluate(async (audio: HTMLAudioElement) => {
    for (let tries = 0; tries < 50 && !(audio.duration > 0); tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    return audio.duration;
  });
  expect(seconds).toBeGreaterThan(2);
  await checked(page, "failover-tried");
  expect(await countCalls()).toBe(before);
});

test("saved: the new kind on the next call, and the draft's edit is still unpublished", async () => {
  await save();
  expect(await call(CLOSED, SORRY, GREETING)).toEqual([SORRY]);
  expect(await lastCall()).toMatchObject({ status: "failover", failover_action: "transfer", failover_outcome: "default_error_message" });
  const { agent_version } = await lastCall();
  const live = await api<{ document: { greeting: string } }>("GET", `/agents/cabinet/versions/${agent_version}`);
  expect(live.document.greeting).toBe(GREETING);
  const draft = await api<{ unpublished: boolean; document: { greeting: string; failover: { action: { type: string } } } }>("GET", "/agents/cabinet");
  expect(draft.document.greeting).toBe("Un tout autre accueil.");
  expect(draft.document.failover.action.type).toBe("transfer");
  expect(draft.unpublished).toBe(true);
});

test("a message is heard before it is saved, and the default error message too", async () => {
  await page.getByRole("radio", { name: /^Dire un message/ }).check();
  await page.getByRole("textbox", { name: "Phrase à dire" }).first().fill("Bonjour {{ nom }}.");
  const listen = page.getByRole("button", { name: "Écouter", exact: true });
  await listen.first().click();
  await page.getByText("Corrigez les champs en rouge, puis essayez.").waitFor();
  await page.getByText("Ce texte est dit tel quel").first().waitFor();
  await page.getByRole("textbox", { name: "Phrase à dire" }).first().fill("Nous rouvrons demain à huit heures, merci de rappeler.");
  await page.getByText("Tel qu’il est ici, pas encore enregistré.").waitFor();
  for (const [which, method] of [[listen.first(), "POST"], [listen.last(), "GET"]] as const) {
    const answered = page.waitForResponse((response) => response.url().includes("/failover/speech") && response.status() === 200);
    await which.click();
    const answer = await answered;
    expect(answer.request().method()).toBe(method);
    expect(answer.headers()["content-type"]).toBe("audio/wav");
    await button("Arrêter").first().click();
  }
});

test("every trigger, one after the other, and no call of it", { timeout: 200_000 }, async () => {
  const before = await countCalls();
  await button("Tout essayer").click();
  await page.getByText("0 sur 9").waitFor();
  await page.getByText("2 sur 9").waitFor({ timeout: 40_000 });
  await checked(page, "failover-trying");
  await expect.poll(() => page.getByText("L’appelant entend le message, puis l’appel est raccroché.").count(), { timeout: 120_000 }).toBe(8);
  await row("Panne pendant l’appel").getByText(/le failover ne s’applique pas/).waitFor({ timeout: 20_000 });
  await button("Écouter et voir", row("Maintenance prévue")).click();
  await checked(page, "failover-all-tried");
  await page.setViewportSize({ width: 390, height: 900 });
  await checked(page, "failover-all-tried-390");
  expect(await countCalls()).toBe(before);
});
