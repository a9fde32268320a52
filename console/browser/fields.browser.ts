/** Every field of the two French documents in a real browser: its label, its value in a new action, its bounds. */
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ACTION_FIELDS, FAILOVER_FIELDS, FILE_COLUMNS, MAX_FILE_BYTES, named, type DocumentField } from "../src/test/documentFields";
import { launch } from "./chromium";
import { signedIn } from "./looking";
import { ADMIN_KEY, start, type Running } from "./server";

const KINDS = { transfer: "Transfert d’appel", workflow: "Workflow", hang_up: "Raccrocher", rag: "RAG", keypad: "Interaction clavier", wait: "Attendre" };
const FAILOVER_KINDS: Record<string, string> = { message: "Dire un message", transfer: "Transfert d’appel", workflow: "Workflow" };
/** Actions that can be saved, to see their bounds stored. */
const WHOLE: Record<string, object> = {
  transfer: { type: "transfer", name: "Transfert", description: "Quand on le demande.", destinations: [{ phone: "+33612345678", description: "" }] },
  hang_up: { type: "hang_up", name: "Raccrocher", description: "À la fin." },
  wait: { type: "wait", name: "Attendre", description: "Pendant la musique." },
};

let running: Running;
let browser: Browser;
let page: Page;

async function api<T>(method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${running.url}/v1${path}`, { method, headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  return (await answer.json()) as T;
}

let count = 0;
async function agentWith(more: object = {}): Promise<string> {
  count += 1;
  const made = await api<{ id: string }>("POST", "/agents", { document: { name: `Champs ${count}`, language: "fr-FR", ...more } });
  return made.id;
}

const main = () => page.locator("#content");

function control({ control: role, label }: DocumentField, within: Page | Locator = main()): Locator {
  if (role === "radio") return within.getByRole("radio", { name: new RegExp(`^${label}`) });
  return within.getByRole(role, { name: named(label) });
}

async function prepare(needs: DocumentField["needs"], kind: string): Promise<void> {
  if (needs === "header") await page.getByRole("button", { name: "Ajouter un en-tête" }).click();
  if (needs === "hours") await page.getByRole("switch", { name: "Restreindre le transfert" }).click();
  if (needs === "preMessage" && !(await page.getByRole("switch", { name: /^Message avant/ }).isChecked())) await page.getByRole("switch", { name: /^Message avant/ }).click();
  if (needs === "sip" && kind === "transfer") await page.getByRole("radio", { name: /^Connexion SIP/ }).check();
  if (needs === "sip" && kind !== "transfer") await page.getByRole("combobox", { name: /^Connexion SIP/ }).selectOption({ index: 1 });
}

/** There under exactly this name, with this value. */
async function expectField(field: DocumentField): Promise<void> {
  const found = control(field).first();
  await found.waitFor();
  if (typeof field.value === "boolean") expect(await found.isChecked()).toBe(field.value);
  else if (field.value !== undefined) expect(await found.inputValue()).toBe(String(field.value));
  if (field.min === undefined || field.max === undefined) return;
  expect(await described(found)).toMatch(new RegExp(`Min ${field.min}\\s.*max ${field.max.toLocaleString("fr").replace(/\s/g, "\\s")}\\s.*défaut ${String(field.value)}\\s|Min ${field.min}, max ${field.max}, défaut ${String(field.value)}\\.`));
}

async function described(found: Locator): Promise<string> {
  return found.evaluate((node) => (node.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" "));
}

async function typed(found: Locator, value: number): Promise<string | null> {
  await found.fill(String(value));
  await found.blur();
  return (await found.getAttribute("aria-invalid")) === "true" ? described(found) : null;
}

/** One below and one above are refused with the bound; both bounds are not. */
async function expectBounds(found: Locator, { min = 0, max = 0 }: DocumentField): Promise<void> {
  const shown = max.toLocaleString("fr");
  expect(await typed(found, min - 1)).toContain(`Au moins ${min}.`);
  expect(await typed(found, max + 1)).toMatch(new RegExp(`Au plus (${max}|${shown})\\.`));
  expect(await typed(found, min)).toBeNull();
  expect(await typed(found, max)).toBeNull();
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

describe.each(Object.entries(KINDS))("a new action of kind %s", (kind, title) => {
  const fields = ACTION_FIELDS.filter((field) => field.of === kind);

  test("has its fields under the documents’ names, with their values", async () => {
    await page.goto(`${running.url}/agents/${await agentWith()}/actions`);
    await page.getByRole("button", { name: new RegExp(`^Ajouter : ${title}`) }).click();
    await page.getByRole("heading", { level: 2, name: title }).waitFor();
    for (const field of fields.filter(({ needs }) => !needs)) await expectField(field);
    for (const needs of ["hours", "header", "preMessage", "sip"] as const) {
      const shown = fields.filter((field) => field.needs === needs);
      if (shown.length) await prepare(needs, "transfer");
      for (const field of shown) await expectField(field);
    }
    for (const field of fields.filter(({ min }) => min !== undefined)) await expectBounds(control(field), field);
  });

  test.runIf(kind in WHOLE)("is stored at both bounds, and refused by the server beyond them", async () => {
    for (const field of fields.filter(({ at }) => at)) {
      const key = field.at ?? "";
      const id = await agentWith({ actions: [WHOLE[kind]] });
      await page.goto(`${running.url}/agents/${id}/actions/0`);
      for (const bound of [field.min, field.max]) {
        await control(field).fill(String(bound));
        await page.keyboard.press("Control+s");
        await expect.poll(async () => (await api<{ document: { actions: Record<string, unknown>[] } }>("GET", `/agents/${id}`)).document.actions[0]?.[key]).toBe(bound);
      }
      await control(field).fill(String((field.max ?? 0) + 1));
      await page.keyboard.press("Control+s");
      await page.getByText("1 valeur à corriger").first().waitFor();
      for (const beyond of [(field.min ?? 0) - 1, (field.max ?? 0) + 1]) {
        const { errors } = await api<{ errors: { path: string }[] }>("POST", "/agents", { document: { name: "Refusé", language: "fr-FR", actions: [{ ...WHOLE[kind], [key]: beyond }] } });
        expect(errors.map(({ path }) => path).join()).toContain(`actions[0].${key}`);
      }
    }
  });
});

test("an import: what the file must hold, and how big it may be", async () => {
  await page.goto(`${running.url}/agents/${await agentWith({ actions: [WHOLE["transfer"]] })}/actions/0`);
  await page.getByRole("button", { name: "Importer un CSV" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Fichier .csv (max. 5 Mo)").waitFor();
  await dialog.getByText("Format du fichier et modèle").click();
  for (const [index, row] of FILE_COLUMNS.entries()) expect(await dialog.getByRole("row").nth(index + 1).getByRole("cell").allTextContents()).toEqual([...row]);
  await dialog.locator('input[type="file"]').setInputFiles({ name: "gros.csv", mimeType: "text/csv", buffer: Buffer.alloc(MAX_FILE_BYTES + 1, "a") });
  await dialog.getByText("Le fichier dépasse 5 Mo").waitFor();
  expect(await dialog.getByRole("button", { name: "Ajouter" }).isDisabled()).toBe(true);
});

describe("failover", () => {
  test("is off in a new agent", async () => {
    await page.goto(`${running.url}/agents/${await agentWith()}/failover`);
    for (const field of FAILOVER_FIELDS.filter(({ of }) => of === "failover")) await expectField(field);
  });

  test.each(["message", "transfer", "workflow"])("%s has its fields under the documents’ names", async (kind) => {
    const fields = FAILOVER_FIELDS.filter(({ of }) => of === `failover.${kind}`);
    await page.goto(`${running.url}/agents/${await agentWith()}/failover`);
    await page.getByRole("switch", { name: "Activer le failover" }).click();
    await page.getByRole("radio", { name: new RegExp(`^${FAILOVER_KINDS[kind]}`) }).check();
    for (const field of fields.filter(({ needs }) => !needs)) await expectField(field);
    for (const field of fields.filter(({ min }) => min !== undefined)) await expectBounds(control(field).first(), field);
    if (fields.some(({ needs }) => needs)) await prepare("sip", "failover");
    for (const field of fields.filter(({ needs }) => needs)) await expectField(field);
  });
});
