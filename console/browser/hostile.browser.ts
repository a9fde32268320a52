/** Text that means harm, in every field that takes text: stored as it was typed, shown as text on every page, and run on none. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./chromium";
import { enter } from "./looking";
import { ADMIN_KEY, PYTHON, start, type Running } from "./server";

/** Each would leave its mark in `__ran`, or ask the server for /x-hostile. */
const SCRIPTS = [
  "<img src=/x-hostile onerror=__ran.push(1)>",
  "\"><script>__ran.push(2)</script>",
  "'></textarea></title></style><svg onload=__ran.push(3)>",
  "javascript:__ran.push(4)",
  "${__ran.push(5)} $t(ui.delete) %s %1$s",
  "<iframe srcdoc='<script>parent.__ran.push(6)</script>'>",
  "<a href=javascript:__ran.push(7)>ici</a><base href=//x>",
];
/** What no line can hold, what turns lines around, and what is many code points wide. */
const SHAPES = ["W".repeat(60), "\u202eenvers\u202c <b>gras</b> &nbsp;", "👩‍👩‍👧‍👦🇫🇷 é́́́́́́ العربية שלום", "x".repeat(40) + "_".repeat(20)];
const WORD = "M".repeat(190);
const MOST_PAGES = 150;

let running: Running;
let browser: Browser;

async function api<T = unknown>(method: string, path: string, body?: object): Promise<{ status: number; body: T }> {
  const answer = await fetch(`${running.url}/v1${path}`, { method, headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json().catch(() => undefined)) as T };
}

async function made(path: string, body: object): Promise<string> {
  const answer = await api<{ id: string }>("POST", path, body);
  if (answer.status !== 201) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}

/** An agent whose every text is taken from a list in turn. */
function agentOf(texts: readonly string[], name: string, uses: { workflow: string; source: string; connection: string }): object {
  let count = 0;
  const next = () => texts[count++ % texts.length] ?? "";
  /** Names of actions differ in the letters that a model would see. */
  const action = (type: string, more: object = {}) => ({ type, name: `${type} ${next()}`.slice(0, 64).trim(), description: next(), ...more });
  const headers = [{ name: "X-Queue", value: next() }];
  const preMessage = { enabled: true, example: next() };
  const actions = [
    action("transfer", { destinations: [{ phone: "+33612345678", description: next() }, { phone: "+33612345679", description: next() }], headers, user_to_user: next(), whisper: next() }),
    action("transfer", { name: `pbx ${next()}`.slice(0, 64).trim(), sip_connection_id: uses.connection, destination_id: next() }),
    action("workflow", { workflow_id: uses.workflow, pre_message: preMessage }),
    action("rag", { data_source_id: uses.source, pre_message: preMessage }),
    action("hang_up"),
    action("keypad"),
    action("wait"),
  ];
  const transition = { name: "suite", to: "b", description: next(), message: { mode: "text", text: next() }, extract: [{ name: "jour", description: next(), type: "string", required: true }] };
  return {
    name,
    language: "fr-FR",
    greeting: next(),
    prompt: next(),
    announcement: next(),
    pronunciations: { [next()]: next(), [next()]: next() },
    actions,
    path: {
      start: "a",
      steps: [
        { id: "a", type: "prompt", name: next(), prompt: next(), actions: [actions[0]?.name], transitions: [transition] },
        { id: "b", type: "say", name: next(), text: next(), to: "c" },
        { id: "c", type: "end", name: next(), text: next() },
      ],
    },
    failover: { enabled: true, action: { type: "message", text: next(), language: "fr-FR" } },
    default_error_message: { text: next(), language: "fr-FR" },
  };
}

async function store(texts: readonly string[], mark: string, longest: string): Promise<string> {
  const [one = "", two = ""] = texts;
  const connection = await made("/sip-connections", { document: { name: `${mark} ${longest}`, host: "192.0.2.20", username: one } });
  const step = { id: "demande", type: "http", url: `https://example.com/${encodeURIComponent(one)}`, headers: { "X-A": two }, query: { [one]: two }, body: { [one]: [one, two] } };
  const workflow = await made("/workflows", { document: { name: `${mark} ${longest}`, description: one, trigger: "live_call", status: "published", input: [{ name: "jour", description: two }], steps: [step, { id: "fin", type: "return", value: { [one]: two } }] } });
  const source = await made("/data-sources", { document: { name: `${mark} ${longest}`, description: one } });
  for (const [index, text] of texts.entries()) {
    await made("/users", { name: `${mark}${index} ${text}`, role: "viewer", password: "un mot de passe long" });
    await api("POST", "/keys", { name: `${mark}${index} ${text}`, scopes: ["read"] });
  }
  return made("/agents", { document: agentOf(texts, `${mark} ${longest}`.slice(0, 200), { workflow, source, connection }) });
}

let agents: string[] = [];

beforeAll(async () => {
  running = await start();
  browser = await launch();
  await made("/users", { name: "accueil", role: "admin", password: "un mot de passe long" });
  agents = [await store(SCRIPTS, "A", SCRIPTS[0] ?? ""), await store(SHAPES, "B", WORD)];
  const seeded = spawnSync(PYTHON, [fileURLToPath(new URL("hostile.py", import.meta.url)), running.data, JSON.stringify([...SCRIPTS, ...SHAPES, WORD])], { encoding: "utf8" });
  if (seeded.status !== 0) throw new Error(seeded.stderr);
  for (const id of agents) {
    const { body } = await api<{ revision: number; document: { actions: object[] } }>("GET", `/agents/${id}`);
    await fetch(`${running.url}/v1/agents/${id}/publish`, { method: "POST", headers: { authorization: `Bearer ${ADMIN_KEY}`, "if-match": `"${body.revision}"` } });
  }
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

interface Seen {
  page: Page;
  /** What went wrong, and where. */
  harm: string[];
}

async function watched(language: string, width: number): Promise<Seen> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, locale: language });
  const page = await context.newPage();
  const harm: string[] = [];
  const here = () => new URL(page.url()).pathname;
  await page.addInitScript(() => Object.assign(window, { __ran: [] }));
  page.on("dialog", (asked) => {
    if (asked.type() !== "beforeunload") harm.push(`${here()}: a dialog, ${asked.message()}`);
    void asked.accept();
  });
  page.on("pageerror", (error) => harm.push(`${here()}: ${error.message}`));
  page.on("console", (said) => said.text().includes("Content Security Policy") && harm.push(`${here()}: ${said.text()}`));
  page.on("request", (asked) => new URL(asked.url()).pathname.startsWith("/x-hostile") && harm.push(`${here()}: asked for ${asked.url()}`));
  await page.goto(running.url);
  await enter(page);
  return { page, harm };
}

/** Nothing ran, nothing became a link or an element, nothing is wider than the screen. */
async function look({ page, harm }: Seen, where: string): Promise<void> {
  await page.waitForTimeout(150);
  const found = await page.evaluate(() => ({
    ran: (window as unknown as { __ran: number[] }).__ran,
    elements: document.querySelectorAll("iframe, base, #content script, [onerror], [onload], a[href^='javascript' i]").length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  if (found.ran.length) harm.push(`${where}: ran ${found.ran.join()}`);
  if (found.elements) harm.push(`${where}: ${found.elements} elements made of text`);
  if (found.wide > 0) harm.push(`${where}: ${found.wide} px wider than the screen`);
}

/** Another page of the console, as a link of it leads there. */
async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
  await page.waitForTimeout(100);
  await page.locator("main h1, main p").first().waitFor();
  await page.waitForFunction(() => document.querySelector(".scale-x-75, .motion-safe\\:animate-pulse") === null);
}

/** Every page that a link of another one leads to. */
async function walk(seen: Seen): Promise<string[]> {
  const left = ["/agents", "/calls/hostile", ...agents.flatMap((id) => [0, 1, 2, 3, 4, 5, 6].map((index) => `/agents/${id}/actions/${index}`))];
  const done: string[] = [];
  while (left.length > 0 && done.length < MOST_PAGES) {
    const path = left.shift() ?? "";
    if (done.includes(path)) continue;
    done.push(path);
    await go(seen.page, path);
    await look(seen, path);
    const links = await seen.page.locator("a[href^='/']").evaluateAll((nodes) => nodes.map((node) => new URL((node as HTMLAnchorElement).href).pathname));
    left.push(...links.filter((link) => !link.startsWith("/v1/") && !left.includes(link) && !done.includes(link)));
  }
  return done;
}

describe.each([
  ["fr-FR", 1440],
  ["en-GB", 390],
] as const)("in %s at %i px", (language, width) => {
  test("every page shows it as text", { timeout: 300_000 }, async () => {
    const seen = await watched(language, width);
    const pages = await walk(seen);
    for (const id of agents) expect(pages).toContain(`/agents/${id}/failover`);
    expect(pages.length).toBeLessThan(MOST_PAGES);
    expect(seen.harm).toEqual([]);
    await seen.page.context().close();
  });

  test("so do the dialogs and differences", { timeout: 120_000 }, async () => {
    const seen = await watched(language, width);
    const { page } = seen;
    const french = language === "fr-FR";
    for (const id of agents) {
      await page.goto(`${running.url}/agents/${id}/general`);
      await page.getByRole("textbox", { name: french ? /^Consignes/ : /^Instructions/ }).fill(SCRIPTS.join("\n"));
      await page.getByRole("button", { name: french ? "Publier" : "Publish" }).click();
      await page.getByRole("dialog").waitFor();
      await page.waitForFunction(() => document.querySelector(".scale-x-75, .motion-safe\\:animate-pulse") === null);
      await look(seen, `${id}: publishing`);
      await page.keyboard.press("Escape");
      await page.goto(`${running.url}/agents/${id}/actions`);
      await page.getByRole("button", { name: french ? /^Supprimer l’action/ : /^Delete the action/ }).first().click();
      await look(seen, `${id}: removing an action`);
      await page.keyboard.press("Escape");
    }
    await page.goto(`${running.url}/agents`);
    await page.getByRole("button", { name: french ? /^Supprimer/ : /^Delete/ }).first().click();
    await look(seen, "removing an agent");
    expect(seen.harm).toEqual([]);
    await page.context().close();
  });
});

test("it is stored as it was typed", async () => {
  const { body } = await api<{ document: { actions: { description: string }[] } }>("GET", `/agents/${agents[0]}`);
  for (const { description } of body.document.actions) expect(SCRIPTS).toContain(description);
});

test.each([
  ["/data-sources", { name: "C", pages: [{ url: "javascript:__ran.push(8)" }] }, "document.pages[0].url"],
  ["/workflows", { name: "C", trigger: "pre_call", kind: "webhook", url: "javascript:__ran.push(8)" }, "document.url"],
  ["/agents", { name: "C", language: "fr-FR", providers: { llm: [{ type: "openai", base_url: "javascript:__ran.push(8)" }] } }, "document.providers.llm[0].base_url"],
])("an address of %s that is no web address is refused", async (path, document, place) => {
  const { status, body } = await api<{ errors: { path: string }[] }>("POST", path, { document });
  expect(status).toBe(422);
  expect(body.errors.map((error) => error.path)).toContain(place);
});
