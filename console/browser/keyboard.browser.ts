/** An agent of two steps, from nothing to published, by somebody who has no mouse: every act is a key. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./chromium";
import { Keys } from "./keys";
import { ADMIN_KEY, start, type Running } from "./server";

let running: Running;
let browser: Browser;
let page: Page;
let keys: Keys;

beforeAll(async () => {
  running = await start();
  browser = await launch();
  page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "fr-FR" })).newPage();
  page.setDefaultTimeout(8000);
  await page.goto(running.url);
  await page.locator("form").waitFor();
  keys = new Keys(page);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

const shown = (text: string | RegExp) => page.getByText(text).first().waitFor();

interface Stored {
  live_version: number | null;
  document: { path: { steps: { id: string; type: string }[] }; failover: { action: object }; actions: Record<string, unknown>[] };
}

async function stored(): Promise<Stored> {
  const [, id] = /agents\/([^/]+)/.exec(page.url()) ?? [];
  const answer = await fetch(`${running.url}/v1/agents/${id}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  return (await answer.json()) as Stored;
}

test("the first account is made", async () => {
  await keys.to(/^textbox "Clé d’administrateur/);
  await keys.type(ADMIN_KEY);
  await keys.to(/^textbox "Nom d’utilisateur/);
  await keys.type("accueil");
  await keys.to(/^textbox "Mot de passe/);
  await keys.type("un mot de passe long");
  await keys.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Agents" }).waitFor();
});

test("the first key that is pressed leads past the menu", async () => {
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Agents" }).waitFor();
  await keys.press("Tab");
  await expect.poll(() => keys.focused()).toBe('link "Aller au contenu"');
  await keys.press("Enter");
  await keys.press("Tab");
  await expect.poll(() => keys.focused()).toBe('button "Nouvel agent"');
});

test("a dialog begins at its first field, keeps the focus, and gives it back", async () => {
  await keys.press("Enter");
  await page.getByRole("dialog").waitFor();
  await expect.poll(() => keys.focused()).toMatch(/^textbox "Nom"/);
  for (let count = 0; count < 14; count += 1) {
    await keys.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest('[role="dialog"]') !== null), await keys.focused()).toBe(true);
  }
  await keys.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await expect.poll(() => keys.focused()).toBe('button "Nouvel agent"');
});

test("an agent is made from nothing", async () => {
  await keys.press("Enter");
  await page.getByRole("dialog").waitFor();
  await keys.type("Clavier");
  await keys.to(/^radio /);
  await keys.to(/^radio "Vide/, "ArrowDown");
  await keys.to('button "Créer l’agent"');
  await keys.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Clavier" }).waitFor();
});

test("its prompt", async () => {
  await keys.to(/^textbox "Consignes"/);
  await keys.type("Tu réponds pour une boutique.");
});

test("a path of two steps, the second led to from the first", async () => {
  await keys.to('link "Parcours"', "Shift+Tab");
  await keys.press("Enter");
  await keys.to('button "Créer un parcours"');
  await keys.press("Enter");
  await shown("1 étape");
  await keys.to('button "Ajouter une étape"');
  await keys.press("Enter");
  await keys.to(/^menuitem "Conversation/, "ArrowDown");
  await keys.press("Enter");
  await shown("2 étapes");
  await expect.poll(() => keys.focused()).toMatch(/^textbox "Nom de l’étape/);
  await keys.type("Rendez-vous");
  await keys.to(/^textbox "Consignes de cette étape"/);
  await keys.type("Demande le jour qui convient.");
  await keys.to(/^button "Accueil/, "Shift+Tab");
  await keys.press("Enter");
  await page.getByRole("region", { name: "Étape Accueil" }).waitFor();
  await keys.to(/^textbox "Quand"/);
  await keys.type("La personne veut un rendez-vous.");
});

test("a variable is put where the cursor is", async () => {
  await keys.to(/^textbox "Consignes de cette étape"/, "Shift+Tab");
  await keys.type("Nous sommes le ");
  await keys.to(/^button "Insérer une variable/);
  await keys.press("Enter");
  await keys.to(/^menuitem "system\.date/, "ArrowDown");
  await keys.press("Enter");
  await page.waitForFunction(() => document.activeElement instanceof HTMLTextAreaElement && document.activeElement.value.endsWith("{{ system.date }}"));
});

test("a transfer with its hours and a number", async () => {
  await keys.to('link "Actions"', "Shift+Tab");
  await keys.press("Enter");
  await keys.to('button "Ajouter : Transfert d’appel"');
  await keys.press("Enter");
  await page.getByRole("heading", { level: 2, name: "Transfert d’appel" }).waitFor();
  await expect.poll(() => keys.focused()).toMatch(/^textbox "Nom de l’action"/);
  await keys.to(/^textbox "Description"/);
  await keys.type("La personne veut parler à quelqu’un.");
  await keys.to(/^textbox "Numéro de téléphone/);
  await keys.type("0612345678");
  await keys.press("Enter");
  await shown("+33 6 12 34 56 78");
  await keys.to(/^switch "Restreindre le transfert/);
  await keys.press("Space");
  await keys.to(/^checkbox "Vendredi"/);
  await keys.press("Space");
  await keys.to(/^textbox "Début"/);
  await keys.type("9h");
  await keys.to(/^textbox "Fin"/);
  await keys.type("12h30");
  await keys.to('button "Ajouter"');
  await keys.press("Enter");
  await shown("09:00 – 12:30");
});

test("the action is switched on in the second step", async () => {
  await keys.to('link "Parcours"', "Shift+Tab");
  await keys.press("Enter");
  await keys.to(/^button "Rendez-vous/);
  await keys.press("Enter");
  await keys.to(/^switch "Transfert"/);
  await keys.press("Space");
  await keys.press("Control+s");
  await shown("Brouillon enregistré");
});

test("a failover message, live on its own save", async () => {
  await keys.to('link "Failover"', "Shift+Tab");
  await keys.press("Enter");
  await keys.to('button "Activer pour l’installation"');
  await keys.press("Enter");
  await shown("Le failover est activé pour l’installation");
  await keys.to(/^switch "Activer le failover"/);
  await keys.press("Space");
  await keys.to(/^radio "/);
  await keys.to(/^radio "Dire un message/, "ArrowDown");
  await keys.press("Space");
  await keys.to(/^textbox "Phrase à dire/);
  await keys.type("Nous rappelons demain.");
  await keys.to('button "Enregistrer le failover"', "Shift+Tab");
  await keys.press("Enter");
  await shown("Failover enregistré");
});

test("the dialog that publishes gives the focus back when it is given up", async () => {
  await keys.to('button "Publier"', "Shift+Tab");
  await keys.press("Enter");
  await page.getByRole("dialog").waitFor();
  await keys.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await expect.poll(() => keys.focused()).toBe('button "Publier"');
});

test("published, and stored as it was typed", async () => {
  await keys.press("Enter");
  await page.getByRole("dialog").getByText(/Première publication/).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Publier" }).and(page.locator(":enabled")).waitFor();
  await keys.to('button "Publier"');
  await keys.press("Enter");
  await shown("Version 1 en ligne");
  const { live_version, document } = await stored();
  expect(live_version).toBe(1);
  const [, second] = document.path.steps;
  expect(document.path.steps).toMatchObject([
    { type: "prompt", prompt: "Nous sommes le {{ system.date }}", transitions: [{ to: second?.id, description: "La personne veut un rendez-vous." }] },
    { type: "prompt", name: "Rendez-vous", actions: ["Transfert"], prompt: "Demande le jour qui convient." },
  ]);
  expect(document.actions.find((action) => action["type"] === "transfer")).toMatchObject({
    destinations: [{ phone: "+33612345678" }],
    schedule: { enabled: true, ranges: [{ days: ["monday", "tuesday", "wednesday", "thursday"], start: "09:00", end: "12:30" }] },
  });
  expect(document.failover).toMatchObject({ enabled: true, action: { type: "message", text: "Nous rappelons demain." } });
});

test("whatever had the focus on the way showed it", () => {
  expect([...keys.unseen]).toEqual([]);
});
