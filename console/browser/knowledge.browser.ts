/** A data source from nothing to an answer, by whoever has the documents: in French, then in English, then as a viewer. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./chromium";
import { checked, signedIn } from "./looking";
import { ADMIN_KEY, start, type Running } from "./server";

const PRICES = Buffer.from("# Tarifs\n\n## Couronne\n\nLa pose d’une couronne céramique coûte 500 euros, dont 120 remboursés par la sécurité sociale sur présentation du devis signé.\n");
const READING_MS = 40_000;

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

const button = (name: string | RegExp) => page.getByRole("button", { name });
const dialog = () => page.getByRole("dialog");
const row = (name: string) => page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
const file = (name: string, buffer: Buffer) => ({ name, mimeType: "application/octet-stream", buffer });

/** A PDF of one page with a line of text. */
function pdf(line: string): Buffer {
  const stream = `BT /F1 12 Tf 72 720 Td (${line}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
  ];
  let made = "%PDF-1.4\n";
  const places = objects.map((body, index) => {
    const place = made.length;
    made += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return place;
  });
  const table = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  return Buffer.from(`${made}xref\n0 6\n0000000000 65535 f \n${table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${made.length}\n%%EOF\n`, "latin1");
}

async function api(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<number> {
  const sent = { "Content-Type": "application/json", Authorization: `Bearer ${ADMIN_KEY}`, ...headers };
  return (await fetch(`${running.url}/v1${path}`, { method, headers: sent, body: JSON.stringify(body) })).status;
}

test("a data source is made, and says what to do next", async () => {
  await page.getByRole("link", { name: "Connaissances", exact: true }).click();
  await page.getByRole("link", { name: "Informations patients" }).waitFor();
  await button("Nouvelle source").click();
  await button("Créer la source").click();
  await dialog().getByText("À remplir.").waitFor();
  await dialog().getByLabel("Nom", { exact: true }).fill("Tarifs du cabinet");
  await checked(page, "knowledge-new");
  await button("Créer la source").click();
  await page.getByRole("heading", { level: 1, name: "Tarifs du cabinet" }).waitFor();
  await page.getByText("Aucun document pour l’instant").waitFor();
  await page.getByText("Il n’y a encore rien où chercher.").waitFor();
  await page.getByText("Aucun agent pour l’instant.").waitFor();
  await checked(page, "knowledge-empty");
});

test("a server that does not answer is said on the file, which is sent again", async () => {
  await page.route("**/documents", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await page.locator('input[type="file"]').setInputFiles([file("tarifs.md", PRICES), file("vide.txt", Buffer.alloc(0))]);
  await row("tarifs.md").getByText("Le serveur n’a pas répondu.").waitFor();
  await row("vide.txt").getByText("Le fichier est vide.").waitFor();
  await checked(page, "knowledge-not-sent");
  await page.unroute("**/documents");
  await button("Retirer vide.txt de la liste").click();
  await button("Renvoyer tarifs.md").click();
  await row("tarifs.md").getByText("Prêt", { exact: true }).waitFor({ timeout: READING_MS });
});

test("several files at once: each is read, or says what to do about it", async () => {
  await page.locator('input[type="file"]').setInputFiles([
    file("horaires.pdf", pdf("Le cabinet ouvre le samedi de neuf heures a midi.")),
    file("photo.pdf", Buffer.from("\x89PNG\r\n\x1a\n0000000000000000", "latin1")),
  ]);
  await row("photo.pdf").getByText("C’est une image ou un son.").waitFor({ timeout: READING_MS });
  await row("horaires.pdf").getByText("Prêt", { exact: true }).waitFor({ timeout: READING_MS });
  await page.getByText("1 document à corriger").waitFor();
});

test("a file that takes a while shows how far its reading is", async () => {
  const long = Buffer.from(Array.from({ length: 60_000 }, (_, number) => `Le soin numéro ${number} dure ${number % 90} minutes.`).join("\n\n"));
  await page.locator('input[type="file"]').setInputFiles([file("soins.txt", long)]);
  const bar = page.getByRole("progressbar", { name: "Lecture de soins.txt" });
  await bar.waitFor({ timeout: READING_MS });
  await page.route("**/documents?*", async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { items: { name: string; state: string; progress: number }[] };
    const items = body.items.map((item) => (item.name === "soins.txt" ? { ...item, state: "reading", progress: 40 } : item));
    await route.fulfill({ response: answer, json: { ...body, items } }); // how far a text is, a machine may say too fast to be seen
  });
  await expect.poll(() => bar.getAttribute("aria-valuenow"), { timeout: READING_MS }).toBe("40");
  await checked(page, "knowledge-reading");
  await page.unroute("**/documents?*");

  await row("soins.txt").getByText("Prêt", { exact: true }).waitFor({ timeout: READING_MS });
});

test("files are dropped, a folder is not", async () => {
  const dropped = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "acces.md"));
    return transfer;
  }, "# Accès\n\nLe cabinet est au deuxième étage, sans ascenseur.\n");
  const area = page.locator("label", { has: page.locator('input[type="file"]') });
  await area.dispatchEvent("dragover", { dataTransfer: dropped });
  await page.getByText("Relâchez pour ajouter les fichiers").waitFor();
  await area.dispatchEvent("drop", { dataTransfer: dropped });
  await row("acces.md").getByText("Prêt", { exact: true }).waitFor({ timeout: READING_MS });
});

test("a question gives the right passage first, with its document, score and time", async () => {
  const question = page.getByRole("textbox", { name: "Question" });
  await question.fill("Combien coûte une couronne ?");
  await question.press("Enter");
  const first = page.getByRole("listitem").filter({ hasText: "Score" }).first();
  await first.getByText("tarifs.md").waitFor();
  expect(await first.innerText()).toMatch(/500 euros[\s\S]*/);
  expect(await first.innerText()).toMatch(/Score \d/);
  await page.getByText(/passages? en \d+ ms/).waitFor();
  await checked(page, "knowledge-asked");
  await question.fill("zorglub");
  await button("Chercher").click();
  await page.getByText("Rien ne correspond").waitFor();
});

test("the same file again is said to be there, another under its name replaces it", async () => {
  await page.locator('input[type="file"]').setInputFiles([file("tarifs.md", PRICES)]);
  await page.getByText("tarifs.md était déjà là, identique.").waitFor();
  await page.locator('input[type="file"]').setInputFiles([file("tarifs.md", Buffer.from(PRICES.toString().replace("500", "620")))]);
  await page.getByText("tarifs.md prendra la place").waitFor();
  await row("tarifs.md").getByText("Prêt", { exact: true }).waitFor({ timeout: READING_MS });
  await page.getByRole("textbox", { name: "Question" }).fill("prix couronne céramique");
  await expect
    .poll(
      async () => {
        await button("Chercher").click();
        return page.getByText("620 euros").count();
      },
      { timeout: READING_MS },
    )
    .toBe(1);
  expect(await page.getByText("500 euros").count()).toBe(0);
});

test("a web page that may not be reached says why; a document is deleted after a question", async () => {
  await button("Ajouter une page web").click();
  await dialog().getByLabel("Adresse de la page").fill("www.example.com");
  await button("Lire la page").click();
  await dialog().getByText("Une adresse commence par http://").waitFor();
  await dialog().getByLabel("Adresse de la page").fill("http://127.0.0.1:9/horaires");
  await checked(page, "knowledge-page");
  await button("Lire la page").click();
  await row("http://127.0.0.1:9/horaires").getByText("réseau privé").waitFor({ timeout: READING_MS });
  await button("Supprimer photo.pdf").click();
  await dialog().getByText("Gardez votre exemplaire").waitFor();
  await dialog().getByRole("button", { name: "Annuler" }).click();
  expect(await row("photo.pdf").count()).toBe(1);
  await button("Supprimer photo.pdf").click();
  await dialog().getByRole("button", { name: "Supprimer", exact: true }).click();
  await page.getByText("photo.pdf a été supprimé.").waitFor();
  await expect.poll(() => row("photo.pdf").count()).toBe(0);
});

test("settings that somebody else saved meanwhile are not overwritten unseen", async () => {
  await page.getByRole("navigation", { name: "Parties de la source" }).getByRole("link", { name: "Réglages" }).click();
  await page.getByLabel("Nom", { exact: true }).fill("");
  await button("Enregistrer").click();
  await page.getByText("À remplir.").waitFor();
  await page.getByLabel("Nom", { exact: true }).fill("Tarifs et accès");
  const theirs = { name: "Tarifs du cabinet", language: "fr-FR", description: "Relu en mai" };
  expect(await api("PUT", "/data-sources/tarifs-du-cabinet", theirs, { "If-Match": "*" })).toBe(200);
  await button("Enregistrer").click();
  await dialog().getByText("Quelqu’un d’autre a enregistré entre-temps").waitFor();
  await button("Réunir les deux").click();
  await page.getByText("Source enregistrée").waitFor();
  await page.getByRole("heading", { level: 1, name: "Tarifs et accès" }).waitFor();
  expect(await page.getByLabel("Description").inputValue()).toBe("Relu en mai");
  await checked(page, "knowledge-settings");
});

test("in English, on a narrow screen, the same page", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${running.url}/knowledge/tarifs-du-cabinet/documents`);
  await page.evaluate(() => localStorage.setItem("parlons.language", "en"));
  await page.reload();
  await page.getByRole("heading", { name: "Try a question" }).waitFor();
  await row("http://127.0.0.1:9/horaires").getByText("inside a private network").waitFor();
  await page.getByRole("textbox", { name: "Question" }).fill("samedi");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("page 1", { exact: true }).waitFor();
  await checked(page, "knowledge-english-390");
});

test("a server that is away for a while takes nothing from the page, and a source that was deleted is said to be gone", async () => {
  await page.route("**/v1/**", (route) => route.abort());
  await page.waitForTimeout(16_500); // the page looks every fifteen seconds
  expect(await row("tarifs.md").count()).toBeGreaterThan(0);
  await page.unroute("**/v1/**");
  expect(await api("POST", "/data-sources", { id: "brief", document: { name: "Brief" } })).toBe(201);
  await page.goto(`${running.url}/knowledge/brief/documents`);
  await page.getByText("No document yet").waitFor();
  expect(await api("DELETE", "/data-sources/brief", undefined)).toBe(204);
  await page.getByText("There is nothing at this address").waitFor({ timeout: 20_000 });
  await page.goto(`${running.url}/knowledge/tarifs-du-cabinet/documents`);
});

test("a data source that an agent answers from is not deleted, and names the agent", async () => {
  const agent = { name: "Standard dentaire", actions: [{ type: "rag", name: "tarifs", description: "Prix.", data_source_id: "tarifs-du-cabinet" }] };
  expect(await api("POST", "/agents", { id: "dentaire", document: agent })).toBe(201);
  await page.setViewportSize({ width: 1440, height: 1000 });
  await page.reload();
  await page.getByRole("link", { name: "Standard dentaire" }).waitFor();
  await page.getByText("in the draft, not published").waitFor();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await dialog().getByRole("button", { name: "Delete", exact: true }).click();
  await dialog().getByText("Standard dentaire").waitFor();
  await checked(page, "knowledge-in-use");
  await dialog().getByRole("button", { name: "Cancel" }).click();
});

test("a viewer sees and asks, and finds nothing to change", async () => {
  expect(await api("POST", "/users", { name: "regarde", role: "viewer", password: "un mot de passe long" })).toBe(201);
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: "en-GB" });
  const other = await context.newPage();
  await other.goto(running.url);
  await other.locator('input[autocomplete="username"]').fill("regarde");
  await other.locator('input[type="password"]').fill("un mot de passe long");
  await other.locator('button[type="submit"]').click();
  await other.locator("#content h1").waitFor();
  await other.goto(`${running.url}/knowledge/tarifs-du-cabinet/documents`);
  await other.getByText("horaires.pdf").first().waitFor();
  await other.getByRole("textbox", { name: "Question" }).fill("samedi");
  await other.getByRole("button", { name: "Search" }).click();
  await other.getByText("page 1", { exact: true }).waitFor();
  expect(await other.locator('input[type="file"]').count()).toBe(0);
  for (const name of [/^Delete/, /again$/, /Add/, /Save/]) expect(await other.getByRole("button", { name }).count(), String(name)).toBe(0);
  await checked(other, "knowledge-viewer");
  await other.goto(`${running.url}/knowledge/tarifs-du-cabinet/settings`);
  expect(await other.getByLabel("Name", { exact: true }).isDisabled()).toBe(true);
  expect(await other.getByRole("button", { name: "Save" }).count()).toBe(0);
  await context.close();
});
