/** A line set up from nothing, as the person at the front desk does it, in French. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./chromium";
import { checked, signedIn } from "./looking";
import { start, type Running } from "./server";

const EXCEL_FRENCH = Buffer.from("phone;description\r\n0612345679;Comptabilité\r\n06 12 34 56 80;Direction\r\n3,36E+10;Perdu\r\n0612345679;Encore\r\nbonjour;\r\n", "latin1");

let running: Running;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  running = await start();
  browser = await launch();
  page = await signedIn(browser, running.url, 8000);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

const button = (name: string | RegExp, within: Page | ReturnType<Page["locator"]> = page) => within.getByRole("button", { name });
const tab = (name: string) => page.getByRole("navigation", { name: "Parties de l’agent" }).getByRole("link", { name });
const dialog = () => page.getByRole("dialog");

async function save(): Promise<void> {
  await button("Enregistrer").first().click();
  await page.getByText("Brouillon enregistré").waitFor();
  await calm();
}

/** Without any notice left on the page. */
async function calm(): Promise<void> {
  while ((await button("Masquer ce message").count()) > 0) await button("Masquer ce message").first().click();
}

test("an agent is made from a template", async () => {
  await button("Nouvel agent").click();
  await dialog().getByLabel("Nom", { exact: true }).fill("Accueil Maison Lilas");
  await dialog().getByRole("radio", { name: /^Rendez-vous/ }).check();
  await checked(page, "story-new-agent");
  await button("Créer l’agent").click();
  await page.getByRole("heading", { level: 1, name: "Accueil Maison Lilas" }).waitFor();
});

test("a number, typed as people do, is stored as E.164", async () => {
  await tab("Numéros").click();
  await page.getByRole("textbox", { name: "Numéro à ajouter" }).fill("01 23 45 67 81");
  await button("Ajouter").click();
  await page.getByText("+33 1 23 45 67 81").waitFor();
  await save();
});

test("a transfer: hours on the week, and numbers out of a French Excel file with bad rows", async () => {
  await tab("Actions").click();
  await button("Ajouter : Transfert d’appel").click();
  await page.getByLabel("Restreindre le transfert à des plages horaires").click();
  const hours = page.getByRole("group", { name: "Heures de disponibilité" });
  for (const [from, until] of [["9", "12h"], ["14", "17h30"]] as const) {
    await hours.getByRole("textbox", { name: "Début" }).fill(from);
    await hours.getByRole("textbox", { name: "Fin" }).fill(until);
    await button("Ajouter", hours).click();
  }
  await page.getByText("14:00 – 17:30").waitFor();
  await button("Importer un CSV").click();
  await dialog().getByLabel("Numéros nationaux de").selectOption("FR");
  await dialog().locator('input[type="file"]').setInputFiles({ name: "numeros.csv", mimeType: "text/csv", buffer: EXCEL_FRENCH });
  await dialog().getByText("Comptabilité").waitFor();
  await checked(page, "story-import");
  expect(await button("2 refusées", dialog()).count()).toBe(1);
  expect(await button("1 déjà là", dialog()).count()).toBe(1);
  await button("Ajouter 2 numéros", dialog()).click();
  await page.getByText("+33 6 12 34 56 80", { exact: true }).waitFor();
  await save();
});

test("one hang-up action is enough, and the page says so", async () => {
  await page.getByRole("link", { name: "Toutes les actions" }).click();
  expect(await button("Ajouter : Raccrocher").isDisabled()).toBe(true);
  await page.getByText("Une seule action Raccrocher peut être configurée pour un agent").waitFor();
  await checked(page, "story-actions");
});

test("a step is added, connected and renamed with the keyboard alone", async () => {
  await tab("Parcours").focus();
  await page.keyboard.press("Enter");
  await button("Ajouter une étape").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: /^Phrase fixe/ }).focus();
  await page.keyboard.press("Enter");
  const panel = page.getByRole("region", { name: /^Étape Phrase fixe/ });
  await panel.getByLabel("Nom de l’étape").focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("Horaires");
  await page.getByRole("region", { name: "Étape Horaires" }).getByRole("textbox", { name: "Phrase", exact: true }).focus();
  await page.keyboard.type("Nous ouvrons à neuf heures.");
  await page.getByRole("region", { name: "Étape Horaires" }).getByLabel("Mène à").focus();
  await page.keyboard.type("Acc");
  await button(/^Accueil/, page.getByRole("navigation", { name: "Liste des étapes" })).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Étape Accueil" }).getByRole("textbox", { name: "Quand" }).last().focus();
  await page.keyboard.type("La personne demande les horaires.");
  await checked(page, "story-path");
  await save();
});

test("an error stays on its field, and undo takes it away", async () => {
  await button(/^Horaires/, page.getByRole("navigation", { name: "Liste des étapes" })).click();
  await button("Supprimer l’étape").click();
  await button("Annuler la dernière modification").click();
  await button(/^Horaires/, page.getByRole("navigation", { name: "Liste des étapes" })).waitFor();
});

test("failover: switched on, a message, live on its own save", async () => {
  await tab("Failover").click();
  await button("Activer pour l’installation").click();
  await page.getByText("Le failover est activé pour l’installation").waitFor();
  await page.getByLabel("Activer le failover").click();
  await page.getByRole("radio", { name: /^Dire un message/ }).check();
  await page.getByRole("textbox", { name: "Phrase à dire" }).first().fill("Nos services sont temporairement indisponibles.");
  await checked(page, "story-failover-changed");
  await button("Enregistrer le failover").click();
  await page.getByText("Failover enregistré").waitFor();
  await page.getByText("L’agent n’est pas publié").waitFor();
});

test("publishing says what will happen, then does it", async () => {
  await button("Publier").first().click();
  await dialog().getByText(/Première publication/).waitFor();
  await checked(page, "story-publish");
  await button("Publier", dialog()).click();
  await page.getByText("Version 1 en ligne").first().waitFor();
});

test("a stale save shows what differs, and loses nothing", async () => {
  const other = await page.context().newPage();
  await other.goto(page.url().replace("/failover", "/general"));
  await tab("Général").click();
  await page.getByRole("textbox", { name: /^Phrase d’accueil/ }).fill("Maison Lilas, bonjour.");
  await other.getByRole("textbox", { name: /^Consignes/ }).fill("Sois bref.");
  await other.getByRole("button", { name: "Enregistrer" }).first().click();
  await other.getByText("Brouillon enregistré").waitFor();
  await button("Enregistrer").first().click();
  await dialog().getByText("Quelqu’un d’autre a enregistré entre-temps").waitFor();
  await checked(page, "story-stale");
  await button("Réunir les deux").click();
  await dialog().waitFor({ state: "detached" });
  await page.getByText("Brouillon enregistré").waitFor();
  expect(await page.getByRole("textbox", { name: /^Consignes/ }).inputValue()).toBe("Sois bref.");
  expect(await page.getByRole("textbox", { name: /^Phrase d’accueil/ }).inputValue()).toBe("Maison Lilas, bonjour.");
  await other.close();
});

test("failover is saved although the draft was changed elsewhere, and the draft's own save then shows that", async () => {
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole("textbox", { name: /^Consignes/ }).fill("Sois très bref.");
  await other.getByRole("button", { name: "Enregistrer" }).first().click();
  await other.getByText("Brouillon enregistré").waitFor();
  await other.close();
  await calm();
  await tab("Failover").click();
  await page.getByRole("textbox", { name: "Phrase à dire" }).first().fill("Merci de rappeler demain.");
  await button("Enregistrer le failover").click();
  await page.getByText("Failover enregistré").waitFor();
  await tab("Général").click();
  await page.getByRole("textbox", { name: /^Phrase d’accueil/ }).fill("Maison Lilas !");
  await button("Enregistrer").first().click();
  await button("Réunir les deux", dialog()).click();
  await page.getByText("Brouillon enregistré").waitFor();
  expect(await page.getByRole("textbox", { name: /^Consignes/ }).inputValue()).toBe("Sois très bref.");
});

test("leaving with unsaved changes asks first", async () => {
  await page.getByRole("textbox", { name: /^Phrase d’accueil/ }).fill("Changée.");
  await page.getByRole("link", { name: "Appels" }).click();
  await dialog().getByText("Quitter sans enregistrer").waitFor();
  await checked(page, "story-leave");
  await button("Annuler", dialog()).click();
  await button("Enregistrer").first().click();
  await page.getByText("Brouillon enregistré").first().waitFor();
});

test("versions can be compared and restored", async () => {
  await tab("Versions").click();
  await button("Comparer").first().click();
  await page.getByText("Changée.").waitFor();
  await checked(page, "story-versions");
  await button("Reprendre cette version").click();
  await button("Reprendre cette version", dialog()).click();
  await page.getByText(/La version \d est le brouillon/).waitFor();
});
