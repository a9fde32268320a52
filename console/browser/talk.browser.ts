/** Talking to an agent from the console: in writing, by voice from Chromium's own microphone, and what other pages show of it. */
import { readFileSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, microphone } from "./chromium";
import { checked, enter } from "./looking";
import { start, type Running } from "./server";
import { caller } from "./speech";

/** Under this name the console is reached without HTTPS and not from its own machine, as far as the browser can tell. */
const ELSEWHERE = "console.example";

const PARTS = [
  ["actions", "Actions"],
  ["failover", "Failover"],
  ["versions", "Versions"],
  ["path", "Parcours"],
] as const;

let running: Running;
let browser: Browser;

beforeAll(async () => {
  running = await start();
  browser = await launch(...microphone(caller("quels sont vos horaires", 7)), `--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
});

interface Screen {
  width?: number;
  language?: string;
  /** Of the page; asked and refused without it. */
  microphone?: boolean;
  url?: string;
}

async function signedIn({ width = 1440, language = "fr-FR", microphone: allowed = true, url = running.url }: Screen = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, locale: language, permissions: allowed ? ["microphone"] : [] });
  await context.addInitScript(() => {
    const Peer = window.RTCPeerConnection as typeof RTCPeerConnection | undefined;
    if (!Peer) return;
    const made: RTCPeerConnection[] = [];
    Object.assign(window, { made });
    window.RTCPeerConnection = class extends Peer {
      constructor(options?: RTCConfiguration) {
        super(options);
        made.push(this);
      }
    };
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  await enter(page);
  return page;
}

/** What has come out of the loudspeaker so far: squared amplitude by seconds, as WebRTC's statistics count it. */
async function heard(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const peer = (window as unknown as { made: RTCPeerConnection[] }).made.at(-1);
    let energy = 0;
    (await peer?.getStats())?.forEach((report: { type: string; kind?: string; totalAudioEnergy?: number }) => {
      if (report.type === "inbound-rtp" && report.kind === "audio") energy += report.totalAudioEnergy ?? 0;
    });
    return energy;
  });
}

async function until(holds: () => Promise<boolean>, what: string, seconds = 15): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

const panel = (page: Page) => page.getByRole("dialog", { name: /^(Parler à|Talk to)/ });
const log = (page: Page) => panel(page).getByRole("region", { name: /^(Ce qui se passe|What happens)$/ });
const close = async (context: BrowserContext) => context.close();

async function editor(page: Page): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/agents/cabinet/general`);
  await page.getByRole("button", { name: /^(Appeler|Call)$/ }).click();
}

async function write(page: Page, text: string): Promise<void> {
  await panel(page).getByLabel("Votre message").fill(text);
  await page.keyboard.press("Enter");
}

describe("in writing", () => {
  test("the draft is talked to as it is stored, the published version as it is live", async () => {
    const page = await signedIn();
    await editor(page);
    await checked(page, "talk-setup");
    await page.getByRole("textbox", { name: /^Phrase d’accueil/ }).fill("Cabinet des Lilas, bonjour.");
    await panel(page).getByText("Modifications non enregistrées").waitFor();
    await panel(page).getByText("Par écrit").click();
    await panel(page).getByLabel(/Numéro à simuler/).fill("06 12 34 56 78");
    await checked(page, "talk-unsaved");
    await panel(page).getByRole("button", { name: "Enregistrer d’abord" }).click();
    await panel(page).getByText("Modifications non enregistrées").waitFor({ state: "detached" });

    await panel(page).getByRole("button", { name: "Commencer à écrire" }).click();
    await log(page).getByText("Cabinet des Lilas, bonjour.").waitFor();
    await write(page, "Je voudrais un rendez-vous");
    await log(page).getByText("Choix du jour").waitFor();
    // it stays, while the person looks at another part of the agent
    await log(page).getByText("Quel jour vous conviendrait").waitFor();
    for (const [part, name] of PARTS) {
      await page.getByRole("navigation", { name: "Parties de l’agent" }).getByRole("link", { name }).click();
      await page.waitForURL(`**/${part}`);
      await checked(page, `talk-beside-${part}`);
    }
    await log(page).getByText("Quel jour vous conviendrait").waitFor();
    await write(page, "jeudi");
    await panel(page).getByText("L’agent a raccroché.").waitFor();
    await checked(page, "talk-chat-over");

    await panel(page).getByRole("button", { name: "Recommencer" }).click();
    await panel(page).getByText(/La version 1 en ligne/).click();
    await panel(page).getByRole("button", { name: "Commencer à écrire" }).click();
    await log(page).getByText("Cabinet médical, bonjour.").waitFor();
    await write(page, "Au revoir");
    await log(page).getByText("Raccrocher").first().waitFor();
    await panel(page).getByText("L’agent a raccroché.").waitFor();
    await close(page.context());
  });

  test("on a telephone's screen, from the list: it covers the page, and can be folded", async () => {
    const page = await signedIn({ width: 390 });
    await checked(page, "390-agents");
    await page.getByRole("button", { name: "Parler à Cabinet médical" }).click();
    await panel(page).getByText("Par écrit").click();
    await checked(page, "390-talk-setup");
    await panel(page).getByRole("button", { name: "Commencer à écrire" }).click();
    await log(page).getByText("bonjour.").waitFor();
    await panel(page).getByRole("button", { name: "Clavier" }).click();
    await checked(page, "390-talk-chat");
    await panel(page).getByRole("button", { name: "Réduire" }).click();
    await checked(page, "390-talk-folded");
    await page.getByRole("link", { name: "Cabinet médical" }).first().waitFor();
    await panel(page).getByRole("button", { name: "Raccrocher et fermer" }).click();
    await panel(page).waitFor({ state: "detached" });
    await close(page.context());
  });
});

describe("by voice", () => {
  test("the greeting is heard, the answer too; keys, hanging up, and the call's page", { timeout: 120_000 }, async () => {
    const page = await signedIn();
    await editor(page);
    await panel(page).getByRole("button", { name: "Appeler" }).click();
    await log(page).getByText("Cabinet médical, bonjour.").or(log(page).getByText("Cabinet des Lilas, bonjour.")).waitFor({ timeout: 20_000 });
    await until(async () => (await heard(page)) > 0.001, "heard");
    await log(page).getByText("Nous sommes ouverts de neuf heures").waitFor({ timeout: 30_000 });
    await checked(page, "talk-call");

    await panel(page).getByRole("button", { name: "Couper le micro" }).click();
    await panel(page).getByRole("button", { name: "Clavier" }).click();
    await panel(page).getByRole("button", { name: "5", exact: true }).click();
    await log(page).getByText("Touches reçues").waitFor();
    await checked(page, "talk-keypad");
    await panel(page).getByRole("button", { name: "Raccrocher", exact: true }).click();
    await panel(page).getByText("Vous avez raccroché.").waitFor();
    await checked(page, "talk-call-over");

    await panel(page).getByRole("link", { name: "Voir l’appel" }).click();
    await page.getByText("Depuis un navigateur").first().waitFor();
    await page.getByText("Brouillon").waitFor();
    await page.getByText("Touches reçues").waitFor();
    await page.getByText("A raccroché").first().waitFor();
    await page.getByText("Terminé", { exact: true }).first().waitFor();
    await checked(page, "call-from-browser");
    await close(page.context());
  });

  test("a call under way is on the list of calls, can be followed there, and hung up", { timeout: 120_000 }, async () => {
    const page = await signedIn();
    await editor(page);
    await panel(page).getByLabel(/Numéro à simuler/).fill("06 12 34 56 78");
    await panel(page).getByRole("button", { name: "Appeler" }).click();
    await log(page).getByText("bonjour.").waitFor({ timeout: 20_000 });

    const other = await page.context().newPage();
    other.setDefaultTimeout(10_000);
    await other.goto(`${running.url}/calls`);
    const live = other.getByRole("region", { name: "1 appel en cours" });
    await live.getByRole("link", { name: "+33 6 12 34 56 78" }).waitFor();
    await checked(other, "calls-live");
    const [file] = await Promise.all([other.waitForEvent("download"), other.getByRole("link", { name: "Exporter en CSV" }).click()]);
    expect(readFileSync(await file.path(), "utf8")).toMatch(/^\ufeff[^\n]*;[^\n]*\r\n[^]*\+33612345678/);
    await live.getByRole("link").click();
    await other.getByText("L’appel, à mesure qu’il se déroule.").waitFor();
    await panel(page).getByRole("button", { name: "Clavier" }).click();
    await panel(page).getByRole("button", { name: "7", exact: true }).click();
    await other.getByText("Touches reçues").waitFor();
    await checked(other, "call-live");
    await other.getByRole("button", { name: "Raccrocher" }).click();
    await other.getByRole("dialog").getByRole("button", { name: "Raccrocher" }).click();
    await other.getByRole("button", { name: "Supprimer" }).waitFor();
    await other.getByText("Les mots des deux côtés").waitFor();
    await panel(page).getByText("Parlons a mis fin à l’appel.").waitFor();
    await close(page.context());
  });

  test("leaving the page hangs up", async () => {
    const page = await signedIn();
    await editor(page);
    await panel(page).getByRole("button", { name: "Appeler" }).click();
    await log(page).getByText("bonjour.").waitFor({ timeout: 20_000 });
    await page.getByRole("link", { name: "Appels" }).click();
    await page.getByRole("heading", { level: 1, name: "Appels" }).waitFor();
    await until(async () => (await page.getByRole("region", { name: "1 appel en cours" }).count()) === 0, "over");
    await close(page.context());
  });

  test("on a telephone's screen", { timeout: 90_000 }, async () => {
    const page = await signedIn({ width: 390, language: "en-GB" });
    await editor(page);
    await panel(page).getByRole("button", { name: "Call" }).click();
    await log(page).getByText("bonjour.").waitFor({ timeout: 20_000 });
    await panel(page).getByRole("button", { name: "Keypad" }).click();
    await checked(page, "390-talk-call");
    await panel(page).getByRole("button", { name: "Fold" }).click();
    await checked(page, "390-talk-call-folded");
    await close(page.context());
  });

  test("a microphone that is refused: what to do, and writing instead", async () => {
    const page = await signedIn({ microphone: false });
    await editor(page);
    await panel(page).getByRole("button", { name: "Appeler" }).click();
    await panel(page).getByText("Le micro est refusé à cette page").waitFor();
    await checked(page, "talk-refused");
    await panel(page).getByRole("button", { name: "Parler par écrit" }).click();
    await panel(page).getByRole("button", { name: "Commencer à écrire" }).waitFor();
    await close(page.context());
  });

  test("without HTTPS the page says so, and still talks in writing", async () => {
    const page = await signedIn({ url: running.url.replace("127.0.0.1", ELSEWHERE) });
    await editor(page);
    await panel(page).getByText("À l’oral").click();
    await panel(page).getByText("Le micro demande une page en HTTPS").waitFor();
    await checked(page, "talk-insecure");
    await panel(page).getByRole("button", { name: "Parler par écrit" }).click();
    await panel(page).getByRole("button", { name: "Commencer à écrire" }).click();
    await log(page).getByText("bonjour.").waitFor();
    await close(page.context());
  });
});
