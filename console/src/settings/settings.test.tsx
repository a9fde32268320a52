/** The settings against an API that refuses, is late, or is not there. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SessionContext } from "@/api/session";
import type { InstallationSettings, Scope, SessionState } from "@/api/types";
import i18n from "@/i18n";
import { SETTINGS } from "@/test/settings";
import { Toasts } from "@/ui/Toasts";
import { AlertsTab } from "./AlertsTab";
import { AuditTab } from "./AuditTab";
import { FailoverSettingsTab } from "./FailoverSettingsTab";
import { KeysTab } from "./KeysTab";
import { LimitsTab } from "./LimitsTab";
import { PrivacyTab } from "./PrivacyTab";
import { ProvidersTab } from "./ProvidersTab";
import { SettingsPage } from "./SettingsPage";
import { UsersTab } from "./UsersTab";

interface Sent {
  method: string;
  path: string;
  body: unknown;
  match: string | null;
}
type Answer = (sent: Sent) => Response | Promise<Response>;

let sent: Sent[];
let answers: Record<string, Answer>;

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const stored = (change: Partial<InstallationSettings> = {}, revision = 4) => json({ revision, document: { ...SETTINGS, ...change } });

beforeEach(async () => {
  await i18n.changeLanguage("fr");
  sent = [];
  answers = { "GET /settings": () => stored() };
  vi.stubGlobal("fetch", async (url: string, options: RequestInit) => {
    const one = { method: options.method ?? "GET", path: url.replace("/v1", "").split("?")[0] ?? "", body: options.body ? JSON.parse(String(options.body)) : null, match: new Headers(options.headers).get("If-Match") };
    sent.push(one);
    const answer = answers[`${one.method} ${one.path}`];
    if (!answer) throw new Error(`nobody expected ${one.method} ${one.path}`);
    return answer(one);
  });
});
afterEach(() => vi.unstubAllGlobals());

async function show(part: ReactNode, role: "admin" | "editor" | "viewer" = "admin") {
  const scopes: Record<typeof role, Scope[]> = { admin: ["read", "write", "calls", "admin"], editor: ["read", "write", "calls"], viewer: ["read"] };
  const session: SessionState = { signed_in: true, user: { id: "u1", name: "camille", role, created_at: "2026-05-04T09:30:00Z", updated_at: "2026-05-04T09:30:00Z", last_sign_in_at: null }, scopes: scopes[role], csrf_token: "", first_sign_in: false };
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  const router = createMemoryRouter([{ path: "settings", element: <SettingsPage />, children: [{ path: "limits", element: part }] }], { initialEntries: ["/settings/limits"] });
  render(
    <QueryClientProvider client={client}>
      <SessionContext value={session}>
        <Toasts>
          <RouterProvider router={router} />
        </Toasts>
      </SessionContext>
    </QueryClientProvider>,
  );
  await screen.findByRole("heading", { level: 1 });
  return userEvent.setup();
}

const number = (name: string) => screen.getByLabelText<HTMLInputElement>(name);
const button = (name: string) => screen.getByRole("button", { name });
const puts = () => sent.filter(({ method }) => method === "PUT");

test("a stale save is shown; both changes together are saved from the newer revision", async () => {
  const user = await show(<LimitsTab />);
  answers["PUT /settings"] = ({ match, body }) => (match === '"4"' ? json({ type: "urn:parlons:problem:stale", title: "", status: 412, detail: "stale" }, 412) : json({ revision: 8, document: body }));
  answers["GET /settings"] = () => stored({ max_outbound_per_minute: 7 }, 7);
  await user.clear(number("Appels sortants simultanés"));
  await user.type(number("Appels sortants simultanés"), "12");
  await user.click(button("Enregistrer"));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText("Appels sortants par minute")).toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Réunir les deux" }));
  await screen.findByText("Réglages enregistrés");
  expect(puts().map(({ match }) => match)).toEqual(['"4"', '"7"']);
  expect(puts()[1]?.body).toMatchObject({ max_outbound_legs: 12, max_outbound_per_minute: 7 });
});

test("with a server that is gone what was typed stays, and can be saved later", async () => {
  const user = await show(<LimitsTab />);
  answers["PUT /settings"] = () => Promise.reject(new TypeError("Failed to fetch"));
  await user.clear(number("Appels sortants simultanés"));
  await user.type(number("Appels sortants simultanés"), "12");
  await user.click(button("Enregistrer"));
  await screen.findByText("Le serveur ne répond pas");
  expect(number("Appels sortants simultanés").value).toBe("12");
  expect(button("Enregistrer")).toBeEnabled();
});

test("settings that are saved and not live yet are not saved a second time", async () => {
  const user = await show(<LimitsTab />);
  answers["PUT /settings"] = () => json({ type: "urn:parlons:problem:saved-not-live", title: "", status: 503, detail: "saved, not live" }, 503);
  answers["GET /settings"] = () => stored({ max_outbound_legs: 12 }, 5);
  await user.clear(number("Appels sortants simultanés"));
  await user.type(number("Appels sortants simultanés"), "12");
  await user.click(button("Enregistrer"));
  await screen.findByText("saved, not live");
  await waitFor(() => expect(button("Enregistrer")).toBeDisabled());
  expect(puts()).toHaveLength(1);
});

test("what the server refuses is shown on its field", async () => {
  const user = await show(<LimitsTab />);
  answers["PUT /settings"] = () => json({ type: "", title: "", status: 422, detail: "not valid", errors: [{ path: "max_outbound_legs", message: "too many for this line" }] }, 422);
  await user.type(number("Appels sortants simultanés"), "1");
  await user.click(button("Enregistrer"));
  await waitFor(() => expect(number("Appels sortants simultanés")).toHaveAccessibleDescription(expect.stringContaining("too many for this line")));
});

test("a wrong value is sent to nobody", async () => {
  const user = await show(<LimitsTab />);
  await user.clear(number("Appels sortants simultanés"));
  await user.click(button("Enregistrer"));
  await screen.findByText("1 valeur à corriger");
  expect(puts()).toEqual([]);
});

test.each([["clés", <KeysTab />], ["utilisateurs", <UsersTab />], ["journal", <AuditTab />]])("an editor is told why the %s are not theirs, and nothing is asked", async (_, part) => {
  await show(part, "editor");
  expect(screen.getByText("Réservé aux administrateurs")).toBeInTheDocument();
  expect(screen.getByText(/Votre rôle\s: Éditeur/)).toBeInTheDocument();
  expect(sent.map(({ path }) => path)).toEqual(["/settings"]);
});

test("a viewer sees limits and changes none", async () => {
  await show(<LimitsTab />, "viewer");
  expect(number("Appels sortants simultanés")).toBeDisabled();
  expect(screen.queryByRole("button", { name: "Enregistrer" })).toBeNull();
});

test("nobody is erased before the number was typed again, nor while they are on the phone", async () => {
  const user = await show(<PrivacyTab />);
  answers["POST /erasures"] = () => json({ type: "", title: "", status: 409, detail: "under way" }, 409);
  await user.type(screen.getByLabelText("Numéro à effacer"), "+33612345678");
  await user.click(button("Effacer…"));
  const dialog = screen.getByRole("dialog");
  await user.type(within(dialog).getByRole("textbox"), "+33612345679");
  expect(within(dialog).getByRole("button", { name: "Effacer définitivement" })).toBeDisabled();
  await user.type(within(dialog).getByRole("textbox"), "{Enter}");
  expect(sent.some(({ path }) => path === "/erasures")).toBe(false);
  await user.clear(within(dialog).getByRole("textbox"));
  await user.type(within(dialog).getByRole("textbox"), "+33 6 12 34 56 78{Enter}");
  await screen.findByText("Un appel avec ce numéro est en cours");
  expect(sent.at(-1)?.body).toEqual({ number: "+33612345678" });
  expect(screen.getByLabelText<HTMLInputElement>("Numéro à effacer").value).toBe("+33612345678");
});

test("a key that was not copied is not lost by one careless click", async () => {
  const key = { id: "k", name: "Boutique", scopes: ["read"], hint: "parlons_Ab1c", rotating: false, created_at: "2026-05-01T12:00:00Z", created_by: "camille", rotated_at: null, expires_at: null, last_used_at: null, revoked_at: null };
  answers["GET /keys"] = () => json({ items: [], next_cursor: null });
  answers["POST /keys"] = () => json({ key, secret: "parlons_once" }, 201);
  const user = await show(<KeysTab />);
  await user.click(await screen.findByRole("button", { name: "Nouvelle clé" }));
  await user.type(screen.getByLabelText("Nom"), "Boutique");
  await user.click(screen.getByRole("checkbox", { name: /^Consulter/ }));
  await user.click(button("Créer la clé"));
  expect(sent.some(({ method, path }) => method === "POST" && path === "/keys")).toBe(false);
  await user.click(screen.getByRole("checkbox", { name: /^Appeler/ }));
  await user.click(button("Créer la clé"));
  expect(await screen.findByDisplayValue("parlons_once")).toBeInTheDocument();
  expect(sent.find(({ method, path }) => method === "POST" && path === "/keys")?.body).toEqual({ name: "Boutique", scopes: ["calls"], expires_in_days: null });
  await user.keyboard("{Escape}");
  expect(await screen.findByText("La clé n’a pas été copiée")).toBeInTheDocument();
  expect(screen.getByDisplayValue("parlons_once")).toBeInTheDocument();
  await user.click(button("Fermer quand même"));
  expect(screen.queryByDisplayValue("parlons_once")).toBeNull();
});

test("the alert that is tried is the one that is saved", async () => {
  answers["GET /settings"] = () => stored({ alert_url: "https://example.net/hook" });
  answers["POST /alerts/test"] = () => json({ ok: false, detail: "the service answered 404.", hint: "Check that alert_url is the whole address, and still valid." });
  const user = await show(<AlertsTab />);
  await user.click(button("Envoyer un essai"));
  await screen.findByText("L’essai n’est pas arrivé");
  expect(screen.getByText("L’adresse a répondu 404. Vérifiez que l’adresse est complète et toujours valable.")).toBeInTheDocument();
  await user.type(screen.getByLabelText(/Adresse à prévenir/), "s");
  expect(button("Envoyer un essai")).toBeDisabled();
  expect(screen.queryByText("L’essai n’est pas arrivé")).toBeNull();
});

test("a provider that cannot be used says what to mend", async () => {
  const provider = { id: "openai", type: "openai", server: "https://example.net/v1", services: ["llm"], agents: ["Accueil"], configured: true, state: "usable", since: null, last_error: "", hint: "", checked_at: null };
  answers["GET /providers"] = () => json({ items: [provider] });
  answers["POST /providers/openai/check"] = () => json({ ok: false, detail: "it refused the key (401).", hint: "Check the environment variable TALKING_KEY.", provider: { ...provider, state: "refused" } });
  const user = await show(<ProvidersTab />);
  await user.click(await screen.findByRole("button", { name: /^Vérifier/ }));
  expect(await screen.findByText("Il a refusé la clé (401). Vérifiez la variable d’environnement TALKING_KEY.")).toBeInTheDocument();
});

test("failover switched on goes along with a message that is being written", async () => {
  const user = await show(<FailoverSettingsTab />);
  answers["PUT /settings"] = ({ body }) => json({ revision: 5, document: body });
  await user.click(screen.getByRole("switch"));
  await user.click(button("Activer pour l’installation"));
  await screen.findAllByText("Le failover est activé pour l’installation");
  expect(puts()[0]?.body).toMatchObject({ failover_enabled: true, default_error_message: null });
  await user.click(button("Enregistrer"));
  await screen.findByText("Réglages enregistrés");
  expect(puts()[1]).toMatchObject({ match: '"5"', body: { failover_enabled: true, default_error_message: { language: "fr-FR" } } });
});
