/** Workflows as the person who connects a line to other systems makes them, against a small server of the test's own. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./chromium";
import { checked, enter, signedIn } from "./looking";
import { ADMIN_KEY, start, type Running } from "./server";

const SECRET = "shop-key-that-no-page-shows";

let running: Running;
let browser: Browser;
let page: Page;
let outside: Server;
let address: string;
const asked: { path: string; headers: IncomingMessage["headers"]; body: string }[] = [];

beforeAll(async () => {
  outside = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      const path = request.url ?? "";
      asked.push({ path, headers: request.headers, body });
      const json = (status: number, value: unknown) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
      if (path === "/who") json(200, { context: { customer_name: "Camille" } });
      else if (path === "/broken") json(500, { error: "<b>maintenance</b>" });
      else if (path === "/words") response.writeHead(200, { "Content-Type": "application/json" }).end("not json at all");
      else if (path === "/orders/123456") json(200, { state: "shipped", key: request.headers.authorization });
      else if (path.startsWith("/orders/")) json(404, {});
      else if (path !== "/slow") json(404, {}); // what is slow is never answered
    });
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  running = await start();
  browser = await launch();
  page = await signedIn(browser, running.url, 8000);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  outside?.closeAllConnections();
  outside?.close();
});

const button = (name: string | RegExp, within: Page | ReturnType<Page["locator"]> = page) => within.getByRole("button", { name });
const tab = (name: string) => page.getByRole("navigation", { name: "Parties du workflow" }).getByRole("link", { name });
const shownId = () => page.url().replace(/.*\/workflows\/([^/]+).*/, "$1");
const dialog = () => page.getByRole("dialog");

async function api(method: string, path: string, body?: unknown, revision = "*"): Promise<Response> {
  const headers = { Authorization: `Bearer ${ADMIN_KEY}`, "Content-Type": "application/json", "If-Match": revision };
  return fetch(`${running.url}/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

async function save(): Promise<void> {
  await button("Enregistrer").first().click();
  await page.getByText("Workflow enregistré").first().waitFor();
  while ((await button("Masquer ce message").count()) > 0) await button("Masquer ce message").first().click();
}

async function tried(words: string | RegExp): Promise<void> {
  await tab("Essai").click();
  await button("Essayer").click();
  await page.getByText(words).first().waitFor();
}

async function addressIs(url: string): Promise<void> {
  await tab("Définition").click();
  await page.getByRole("textbox", { name: "Adresse", exact: true }).fill(url);
}

test("a webhook is made from an example; a private address is refused, with the setting that allows it", async () => {
  await page.getByRole("navigation", { name: "Rubriques" }).getByRole("link", { name: "Workflows" }).click();
  await page.getByRole("link", { name: "Trouver la commande" }).waitFor();
  await checked(page, "workflows-list");
  await button("Nouveau workflow").click();
  await button("Créer le workflow", dialog()).click();
  await dialog().getByText("À remplir.").waitFor();
  await dialog().getByLabel("Nom", { exact: true }).fill("Qui appelle");
  await checked(page, "workflows-new");
  await button("Créer le workflow", dialog()).click();
  await page.getByRole("heading", { level: 1, name: "Qui appelle" }).waitFor();
  await addressIs("pas une adresse");
  await button("Enregistrer").first().click();
  await page.getByText("Une adresse qui commence par http:// ou https://, sans espace.").waitFor();
  await addressIs(`${address}/who`);
  await page.getByLabel("Secret de signature").fill("a-signing-secret");
  await save();
  await tried(/l’adresse est privée, ce qui n’est pas autorisé/i);
  await page.getByText(/allow_private_addresses/).first().waitFor();
  await checked(page, "workflows-refused");
  expect(asked).toEqual([]);
  const settings = (await (await api("GET", "/settings")).json()) as { document: object };
  expect((await api("PUT", "/settings", { ...settings.document, allow_private_addresses: true })).status).toBe(200);
});

test("it is tried: what was sent, what came back, what a call would have of it", async () => {
  await tried(/^Réussi, en/);
  await page.getByText("Un appel pourrait utiliser ce résultat.").waitFor();
  expect(await page.getByRole("region", { name: "Résultat" }).innerText()).toContain("Camille");
  await page.locator("summary").first().click();
  await checked(page, "workflows-tried");
  const sent = asked.at(-1);
  expect(sent?.headers["x-parlons-signature"]).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
  expect(JSON.parse(sent?.body ?? "")).toMatchObject({ trigger: "pre_call", context: { system: { phone_e164: "+33612345678" } } });
  expect(await page.content()).not.toContain("a-signing-secret");
});

test("what is on the page is tried, and each way to fail says what to do", async () => {
  await addressIs(`${address}/broken`);
  await tried(/le service a répondu avec le code 500/i);
  await page.getByText("Le service a une panne", { exact: false }).waitFor();
  await page.getByText("<b>maintenance</b>", { exact: false }).waitFor();
  await checked(page, "workflows-500");
  await addressIs(`${address}/words`);
  await tried(/la réponse n’est pas du JSON valide/i);
  await addressIs("http://127.0.0.1:9/closed");
  await tried(/la connexion n’a pas pu être établie/i);
  await addressIs(`${address}/who`);
  expect((await (await api("GET", "/workflows/qui-appelle")).json()) as object).toMatchObject({ document: { url: `${address}/who` } });
});

test("steps: made by keyboard and mouse, with a secret that is given where it is named", async () => {
  await page.goto(`${running.url}/workflows`);
  await button("Nouveau workflow").click();
  await dialog().getByLabel("Nom", { exact: true }).fill("Commande");
  await dialog().getByRole("radio", { name: /^Trouver une commande/ }).check();
  await button("Créer le workflow", dialog()).click();
  await button(/^Requête HTTP find/).click();
  await page.getByRole("textbox", { name: "Adresse", exact: true }).fill(`${address}/orders/{{ input.order_number }}`);
  await button("Ajouter un en-tête").click();
  const header = page.getByRole("group", { name: "En-têtes" });
  await header.getByRole("textbox", { name: "Nom" }).fill("Authorization");
  await header.getByRole("textbox", { name: "Valeur" }).fill("Bearer {{ secrets.SHOP_KEY }}");
  await page.getByText("Le secret SHOP_KEY n’existe pas").waitFor();
  await checked(page, "workflows-steps");
  await button("Donner sa valeur").click();
  await dialog().getByLabel(/^Valeur/).fill(SECRET);
  await button("Enregistrer", dialog()).click();
  await dialog().waitFor({ state: "detached" });
  await page.getByText("Utilisé ici").waitFor();
  await button(/^Condition known/).click();
  await checked(page, "workflows-branch");
  await button("Ajouter une étape").last().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: /^Pause/ }).focus();
  await page.keyboard.press("Enter");
  await button("Monter pause").focus();
  await page.keyboard.press("Enter");
  await page.getByText("pause est maintenant l’étape 2 sur 3").waitFor();
  await button("Supprimer pause").click();
  await button("Supprimer", dialog()).click();
  await save();
});

test("the steps run with sample data, and the secret is sent and never shown", async () => {
  await tab("Essai").click();
  await page.getByRole("textbox", { name: "order_number" }).fill("123456");
  await tried(/^Réussi, en/);
  expect(asked.at(-1)?.headers.authorization).toBe(`Bearer ${SECRET}`);
  const result = await page.getByRole("region", { name: "Résultat" }).innerText();
  expect(result).toContain("shipped");
  expect(await page.content()).not.toContain(SECRET);
  await checked(page, "workflows-steps-tried");
  await page.getByRole("textbox", { name: "order_number" }).fill("999");
  await tried("Aucune commande ne porte ce numéro.");
  await page.getByRole("textbox", { name: "order_number" }).fill("");
  await tried(/une valeur attendue manque/i);
});

test("a service that does not answer is not waited for", async () => {
  await addressIs(`${address}/slow`);
  await page.getByRole("spinbutton", { name: "Durée maximale" }).fill("0.3");
  await page.getByRole("spinbutton", { name: "Nouvelles tentatives" }).fill("0");
  await tab("Essai").click();
  await page.getByRole("textbox", { name: "order_number" }).fill("123456");
  await tried(/pas de réponse à temps/i);
  await checked(page, "workflows-timeout");
});

test("every run is kept: filtered, opened, with the call or the trial it was for", async () => {
  await save();
  await tab("Exécutions").click();
  await expect.poll(() => page.getByRole("table").getByRole("row").count()).toBe(5);
  await page.getByLabel("État", { exact: true }).selectOption("error");
  await expect.poll(() => page.getByRole("table").getByRole("row").count()).toBe(3);
  await checked(page, "workflows-runs");
  await page.getByRole("table").getByRole("link").first().click();
  await page.getByText(/pas de réponse à temps/i).first().waitFor();
  await checked(page, "workflows-run");
});

test("somebody else saved meanwhile: shown, and nothing is lost", async () => {
  await tab("Définition").click();
  const now = (await (await api("GET", `/workflows/${shownId()}`)).json()) as { id: string; document: Record<string, unknown> };
  expect((await api("PUT", `/workflows/${now.id}`, { ...now.document, description: "Vu par quelqu’un d’autre" })).status).toBe(200);
  await page.getByLabel("État", { exact: true }).selectOption("published");
  await button("Enregistrer").first().click();
  await dialog().getByText("Quelqu’un d’autre a enregistré entre-temps").waitFor();
  await checked(page, "workflows-stale");
  await button("Réunir les deux", dialog()).click();
  await page.getByText("Workflow enregistré").first().waitFor();
  expect((await (await api("GET", `/workflows/${now.id}`)).json()) as object).toMatchObject({ document: { status: "published", description: "Vu par quelqu’un d’autre" } });
});

test("one that an agent uses is not deleted; unused it is", async () => {
  const id = shownId();
  const agent = { name: "Boutique", prompt: "Bonjour", greeting: "Bonjour.", actions: [{ type: "workflow", name: "order", description: "d", workflow_id: id }] };
  expect((await api("POST", "/agents", { id: "boutique", document: agent })).status).toBe(201);
  await page.goto(`${running.url}/workflows`);
  await page.getByRole("link", { name: "Boutique (brouillon)" }).waitFor();
  await button("Supprimer Commande").click();
  await button("Supprimer", dialog()).click();
  await dialog().getByRole("link", { name: "Boutique" }).waitFor();
  await checked(page, "workflows-used");
  await button("Annuler", dialog()).click();
  await button("Supprimer Qui appelle").click();
  await button("Supprimer", dialog()).click();
  await page.getByRole("link", { name: "Qui appelle" }).waitFor({ state: "detached" });
});

test("leaving with unsaved changes asks first", async () => {
  await page.goto(`${running.url}/workflows/crm/edit`);
  await page.getByLabel("Description").first().fill("Changée");
  await page.getByRole("link", { name: "Appels" }).click();
  await dialog().getByText("Quitter sans enregistrer").waitFor();
  await button("Annuler", dialog()).click();
  await tab("Envois").click();
  await page.getByRole("table").getByText("Échec définitif").waitFor();
  await button("Renvoyer").click();
  await page.getByText("Le renvoi est en cours").waitFor();
});

test("in English, on a telephone", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en-GB" });
  const phone = await context.newPage();
  await phone.goto(running.url);
  await enter(phone);
  for (const [name, path, words] of [
    ["list", "/workflows", "Find the order"],
    ["edit", "/workflows/commande/edit", "HTTP request"],
    ["try", "/workflows/commande/try", "Sample data"],
    ["run", "/workflows/commande/runs/run-bad", "the service answered with code 503"],
    ["deliveries", "/workflows/crm/deliveries", "Send again"],
  ] as const) {
    await phone.goto(running.url + path);
    if (name !== "list") await phone.getByText(words, { exact: false }).first().waitFor();
    if (name === "edit") for (const step of [/^HTTP request/, /^Condition/]) await phone.getByRole("button", { name: step }).first().click();
    await checked(phone, `workflows-390-${name}`);
  }
  await context.close();
});
