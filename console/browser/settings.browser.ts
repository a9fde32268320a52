/** The settings as an administrator meets them, in French: what goes wrong first, then each part, then what the other roles see. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./chromium";
import { checked, enter } from "./looking";
import { start, type Running } from "./server";

const PASSWORD = "un mot de passe long";

let running: Running;
let browser: Browser;
let page: Page;
let receiver: Server;
const received: { kind: string; text: string }[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      received.push(JSON.parse(body));
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  running = await start();
  browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: "fr-FR" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(running.url);
  await enter(page);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  receiver?.close();
});

const button = (name: string | RegExp, within: Page | ReturnType<Page["locator"]> = page) => within.getByRole("button", { name, exact: typeof name === "string" });
const dialog = () => page.getByRole("dialog");
const row = (name: string) => page.locator("main tr", { hasText: name });

async function open(part: string, on: Page = page): Promise<void> {
  await on.goto(`${running.url}/settings/${part}`);
  await on.getByRole("heading", { level: 1, name: "Réglages" }).waitFor();
}

async function save(on: Page = page): Promise<void> {
  await button("Enregistrer", on).click();
  await on.getByText("Réglages enregistrés").waitFor();
  await calm(on);
}

/** Without any notice left on the page. */
async function calm(on: Page = page): Promise<void> {
  while ((await button("Masquer ce message", on).count()) > 0) await button("Masquer ce message", on).first().click();
}

/** What the API answers to a key. */
async function asKey(secret: string): Promise<number> {
  return (await fetch(`${running.url}/v1/agents`, { headers: { Authorization: `Bearer ${secret}` } })).status;
}

test("a value out of bounds stays on its field, is counted on its tab, and nothing is saved", { timeout: 60_000 }, async () => {
  await open("limits");
  await page.getByLabel("Appels sortants simultanés").fill("10001");
  await page.getByText("Au plus 10000.").waitFor();
  await page.getByLabel("Préfixes refusés").fill("+870\n0899");
  await page.getByLabel("Préfixes refusés").blur();
  await page.getByText(/Ligne 2/).waitFor();
  await button("Enregistrer").click();
  await page.getByRole("alert").filter({ hasText: /valeurs? à corriger/ }).waitFor();
  await checked(page, "settings-wrong");
  await calm();
  await button("Abandonner").click();
  await expect.poll(() => page.getByLabel("Appels sortants simultanés").inputValue()).toBe("50");
});

test("a save that the server never gets loses nothing", { timeout: 60_000 }, async () => {
  await open("limits");
  await page.getByLabel("Appels sortants par minute").fill("30");
  await page.route("**/v1/settings", (route) => (route.request().method() === "PUT" ? route.abort() : route.continue()));
  await button("Enregistrer").click();
  await page.getByText("Le serveur ne répond pas").waitFor();
  expect(await page.getByLabel("Appels sortants par minute").inputValue()).toBe("30");
  await page.unroute("**/v1/settings");
  await calm();
  await save();
});

test("a stale save shows what differs, and both changes are kept", { timeout: 60_000 }, async () => {
  await open("limits");
  const other = await page.context().newPage();
  await open("general", other);
  await page.getByLabel("Appels sortants simultanés").fill("12");
  await other.getByLabel("Pays").selectOption("BE");
  await save(other);
  await button("Enregistrer").click();
  await dialog().getByText("Quelqu’un d’autre a enregistré entre-temps").waitFor();
  await dialog().getByText("Pays").waitFor();
  await checked(page, "settings-stale");
  await button("Réunir les deux", dialog()).click();
  await page.getByText("Réglages enregistrés").waitFor();
  await open("general", other);
  expect(await other.getByLabel("Pays").inputValue()).toBe("BE");
  await open("limits", other);
  expect(await other.getByLabel("Appels sortants simultanés").inputValue()).toBe("12");
  await other.close();
});

test("failover is switched on while something else is being edited, and neither is lost", { timeout: 60_000 }, async () => {
  await open("failover");
  await page.getByLabel("Un message pour toute l’installation").click();
  await page.getByRole("textbox", { name: "Phrase à dire" }).fill("Merci de rappeler dans une heure.");
  await button("Activer pour l’installation").click();
  await page.getByText("Le failover est activé pour l’installation").first().waitFor();
  await calm();
  await checked(page, "settings-failover-changed");
  await save();
  await page.reload();
  await page.getByText("Le failover est activé pour l’installation").first().waitFor();
  expect(await page.getByRole("textbox", { name: "Phrase à dire" }).inputValue()).toBe("Merci de rappeler dans une heure.");
});

test("alerts: a test that may not leave says what to change, then one arrives", { timeout: 90_000 }, async () => {
  await open("alerts");
  expect(await button("Envoyer un essai").isDisabled()).toBe(true);
  await page.getByLabel("Adresse à prévenir").fill(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`);
  await page.getByText("Enregistrez d’abord l’adresse").waitFor();
  await save();
  await button("Envoyer un essai").click();
  await page.getByText("L’essai n’est pas arrivé").waitFor();
  await page.getByText(/Autorisez les adresses privées/).waitFor();
  await checked(page, "settings-alert-refused");
  expect(received).toEqual([]);
  await open("limits");
  await page.getByLabel("Autoriser les adresses privées").click();
  await save();
  await open("alerts");
  await button("Envoyer un essai").click();
  await page.getByText("L’essai est arrivé").waitFor();
  expect(received.map(({ kind }) => kind)).toEqual(["test"]);
  await checked(page, "settings-alert-taken");
});

test("providers say how they stand when they are asked", { timeout: 60_000 }, async () => {
  await open("providers");
  await button(/^Vérifier Intégré/).click();
  await page.getByText("Il est utilisable").waitFor();
  await button(/^Vérifier OpenAI/).click();
  await page.getByText("Il n’est pas utilisable").waitFor();
  await page.getByText(/OPENAI_API_KEY, puis redémarrez/).first().waitFor();
  await checked(page, "settings-providers-asked");
});

test("a key is shown once, opens the API, has two secrets while it is changed, and is refused once revoked", { timeout: 120_000 }, async () => {
  await open("keys");
  await button("Nouvelle clé").click();
  await button("Créer la clé", dialog()).click();
  await dialog().getByText("À remplir.").waitFor();
  await dialog().getByLabel("Nom", { exact: true }).fill("Boutique en ligne");
  await checked(page, "settings-new-key");
  await button("Créer la clé", dialog()).click();
  const first = await dialog().getByLabel("Secret", { exact: true }).inputValue();
  expect(first).toMatch(/^parlons_/);
  await button("Fermer", dialog()).last().click();
  await dialog().getByText("La clé n’a pas été copiée").waitFor();
  await checked(page, "settings-key-not-copied");
  await button("Copier", dialog()).click();
  await button("Copiée", dialog()).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(first);
  await button("Fermer", dialog()).last().click();
  await dialog().waitFor({ state: "detached" });
  expect(await page.content()).not.toContain(first);
  expect(await asKey(first)).toBe(200);

  await button("Nouveau secret pour Boutique en ligne").click();
  const second = await dialog().getByLabel("Secret", { exact: true }).inputValue();
  await button("Copier", dialog()).click();
  await button("Fermer", dialog()).last().click();
  expect([await asKey(first), await asKey(second)]).toEqual([200, 200]);
  await row("Boutique en ligne").getByText("Deux secrets").waitFor();
  await checked(page, "settings-key-two-secrets");
  await button("Retirer l’ancien secret de Boutique en ligne").click();
  await button("Retirer l’ancien", dialog()).click();
  await row("Boutique en ligne").getByText("Active").waitFor();
  expect([await asKey(first), await asKey(second)]).toEqual([401, 200]);
  await button("Révoquer Boutique en ligne").click();
  await button("Révoquer", dialog()).click();
  await row("Boutique en ligne").getByText("Révoquée").waitFor();
  expect(await asKey(second)).toBe(401);
});

test("a user of each role; the only administrator stays", { timeout: 180_000 }, async () => {
  await open("users");
  expect(await button("Retirer accueil").isDisabled()).toBe(true);
  for (const [name, role] of [["lecture", "Lecteur"], ["edition", "Éditeur"], ["direction", "Administrateur"]] as const) {
    await button("Nouvel utilisateur").click();
    await dialog().getByLabel("Nom d’utilisateur").fill(name);
    await dialog().getByRole("radio", { name: new RegExp(`^${role}`) }).check();
    await dialog().getByLabel("Mot de passe").fill("court");
    await button("Ajouter l’utilisateur", dialog()).click();
    await dialog().getByText(/Au moins 12/).last().waitFor();
    if (name === "lecture") await checked(page, "settings-new-user");
    await dialog().getByLabel("Mot de passe").fill(PASSWORD);
    await button("Ajouter l’utilisateur", dialog()).click();
    await dialog().waitFor({ state: "detached" });
    await row(name).getByText(role).waitFor();
  }
  await calm();
  expect(await button("Retirer accueil").isDisabled()).toBe(false);
  await button("Retirer direction").click();
  await button("Retirer", dialog()).click();
  await row("direction").waitFor({ state: "detached" });
  await button("Modifier accueil").click();
  expect(await dialog().getByRole("radio", { name: /^Lecteur/ }).isDisabled()).toBe(true);
  await button("Annuler", dialog()).click();
  await calm();
  await checked(page, "settings-users-made");

  for (const name of ["lecture", "edition"]) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: "fr-FR" });
    const theirs = await context.newPage();
    theirs.setDefaultTimeout(15_000);
    const refused: string[] = [];
    theirs.on("response", (response) => response.status() === 403 && refused.push(response.url()));
    await theirs.goto(running.url);
    await theirs.getByLabel("Nom d’utilisateur").fill(name);
    await theirs.getByLabel("Mot de passe").fill(PASSWORD);
    await theirs.locator('button[type="submit"]').click();
    await theirs.locator("#content h1").waitFor();
    await open("limits", theirs);
    await theirs.getByText("Vous pouvez consulter, pas modifier").waitFor();
    expect(await theirs.getByLabel("Appels sortants simultanés").isDisabled()).toBe(true);
    expect(await button("Enregistrer", theirs).count()).toBe(0);
    for (const part of ["keys", "users", "audit"]) {
      await open(part, theirs);
      await theirs.getByText("Réservé aux administrateurs").waitFor();
      await checked(theirs, `settings-${name}-${part}`);
    }
    await open("privacy", theirs);
    expect(await button("Effacer…", theirs).count()).toBe(0);
    await open("providers", theirs);
    await theirs.getByText("Utilisable").first().waitFor();
    expect((await button(/^Vérifier /, theirs).count()) > 0).toBe(name === "edition");
    await open("secrets", theirs);
    await theirs.getByText("CRM_KEY", { exact: true }).waitFor();
    expect(await button("Nouveau secret", theirs).count()).toBe(name === "edition" ? 1 : 0);
    expect(refused).toEqual([]);
    await open("users", theirs);
    await theirs.getByLabel("Mot de passe actuel").fill("pas le bon du tout");
    await theirs.getByLabel("Nouveau mot de passe").fill("un autre mot de passe");
    await button("Le changer", theirs).click();
    await theirs.getByText("Ce n’est pas votre mot de passe actuel.").waitFor();
    await theirs.getByLabel("Mot de passe actuel").fill(PASSWORD);
    await button("Le changer", theirs).click();
    await theirs.getByText("Votre mot de passe est changé").waitFor();
    await context.close();
  }
});

test("a number is erased once it was typed again, and what is gone is said", { timeout: 60_000 }, async () => {
  await open("privacy");
  await page.getByLabel("Numéro à effacer").fill("+33612345678");
  await button("Effacer…").click();
  expect(await button("Effacer définitivement", dialog()).isDisabled()).toBe(true);
  await dialog().getByRole("textbox").fill("+33612345679");
  expect(await button("Effacer définitivement", dialog()).isDisabled()).toBe(true);
  await checked(page, "settings-erase");
  await dialog().getByRole("textbox").fill("+33 6 12 34 56 78");
  await button("Effacer définitivement", dialog()).click();
  await page.getByText("1 appel effacé. 1 enregistrement effacé.").waitFor();
  await checked(page, "settings-erased");
  await page.goto(`${running.url}/calls/seen`);
  await page.getByText("Il n’y a rien à cette adresse").waitFor();
});

test("a secret goes in and is never shown", { timeout: 60_000 }, async () => {
  await open("secrets");
  await button("Nouveau secret").click();
  await dialog().getByLabel("Nom", { exact: true }).fill("clé de stock");
  await dialog().getByLabel("Valeur").fill("jamais-montree-12345");
  await button("Enregistrer", dialog()).click();
  await dialog().getByText(/Lettres sans accent, chiffres et _\s?;/).waitFor();
  await dialog().getByLabel("Nom", { exact: true }).fill("STOCK_KEY");
  await button("Enregistrer", dialog()).click();
  await page.getByText("STOCK_KEY", { exact: true }).waitFor();
  expect(await page.content()).not.toContain("jamais-montree-12345");
  await button("Supprimer STOCK_KEY").click();
  await button("Supprimer", dialog()).click();
  await page.getByText("STOCK_KEY", { exact: true }).waitFor({ state: "detached" });
});

test("the history says who did all that, without a secret or the number that was erased", { timeout: 60_000 }, async () => {
  await open("audit");
  await page.getByText("Un numéro effacé").waitFor();
  await page.getByLabel("Quoi").selectOption("key");
  await page.getByText("Un numéro effacé").waitFor({ state: "detached" });
  await page.getByText("Clé révoquée").first().waitFor();
  await page.getByLabel("Quoi").selectOption("settings");
  await page.getByText("Réglages enregistrés").first().waitFor();
  await page.getByText(/^\d+ valeurs?\s: /).first().click();
  await checked(page, "settings-audit-open");
  await page.getByLabel("Quoi").selectOption("");
  await page.getByText("Un numéro effacé").waitFor();
  const text = await page.content();
  for (const hidden of ["jamais-montree-12345", "612345678", PASSWORD]) expect(text).not.toContain(hidden);
});

test("on a telephone everything can be read", { timeout: 90_000 }, async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const part of ["general", "limits", "privacy", "failover", "alerts", "providers", "keys", "users", "secrets", "audit"]) {
    await open(part);
    await checked(page, `settings-390-${part}`);
  }
});
