/** The editor's parts as a person uses them, with a server that answers as it is told. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SessionContext } from "@/api/session";
import type { Scope, WorkflowRun } from "@/api/types";
import i18n from "@/i18n";
import { Toasts } from "@/ui/Toasts";
import type { Workflow } from "./document";
import { DeliveriesTab } from "./DeliveriesTab";
import { EditTab } from "./EditTab";
import { RunPage } from "./RunPage";
import { RunsTab } from "./RunsTab";
import { fromStarter } from "./starters";
import { TryTab } from "./TryTab";
import { WorkflowEditorPage } from "./WorkflowEditorPage";
import { WorkflowListPage } from "./WorkflowListPage";

type Answer = [number, unknown];
let answers: Record<string, Answer | ((body: unknown) => Answer)>;
let sent: { at: string; query: string; body: unknown; revision: string | null }[];

beforeEach(async () => {
  await i18n.changeLanguage("fr");
  sent = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    const at = `${init.method ?? "GET"} ${path.replace(/\?.*$/, "").replace("/v1", "")}`;
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    sent.push({ at, query: new URL(path, "http://x").searchParams.toString(), body, revision: new Headers(init.headers).get("If-Match") });
    const found = answers[at] ?? [200, { items: [], next_cursor: null }];
    const [status, json] = typeof found === "function" ? found(body) : found;
    return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(json), { status }));
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const ORDER = () => fromStarter("liveCall", "Commande", i18n.t);
const stored = (document: Workflow, revision = 3) => ({ id: "commande", revision, document });
const RUN: WorkflowRun = {
  id: "r1",
  workflow_id: "commande",
  call_id: null,
  trigger: "live_call",
  status: "error",
  started_at: "2026-05-04T09:00:00Z",
  duration_ms: 40,
  result: null,
  context: {},
  error: { step: "find", code: "unexpected_status", message: "the service answered 500." },
  steps: [{ id: "find", type: "http", started_ms: 0, duration_ms: 38, request: { method: "GET", url: "https://x.example/1", headers: { Authorization: "***" }, query: {}, body: null }, reply: { status: 500, headers: {}, body: "<script>alert(1)</script>" }, error: { step: "find", code: "unexpected_status", message: "the service answered 500." } }],
  problem: "",
};

function show(at: string, scopes: Scope[] = ["read", "write"]) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const routes = [
    { path: "/workflows", element: <WorkflowListPage /> },
    { path: "/workflows/:id", element: <WorkflowEditorPage />, children: [{ path: "edit", element: <EditTab /> }, { path: "try", element: <TryTab /> }, { path: "runs", element: <RunsTab /> }, { path: "runs/:run", element: <RunPage /> }, { path: "deliveries", element: <DeliveriesTab /> }] },
  ];
  render(
    <QueryClientProvider client={client}>
      <SessionContext value={{ signed_in: true, user: null, scopes, csrf_token: "", first_sign_in: false }}>
        <Toasts>
          <RouterProvider router={createMemoryRouter(routes, { initialEntries: [at] })} />
        </Toasts>
      </SessionContext>
    </QueryClientProvider>,
  );
  return userEvent.setup();
}

async function nameField(): Promise<HTMLElement> {
  const [first] = await screen.findAllByRole("textbox", { name: "Nom" }); // the next ones are of the values it takes
  if (!first) throw new Error("no name");
  return first;
}

const saves = () => sent.filter(({ at }) => at.startsWith("PUT"));

test("a refusal of the server lands on its field, in the step that is folded", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())], "PUT /workflows/commande": [422, { type: "x", title: "", status: 422, detail: "the request is not valid.", errors: [{ path: "steps[0].url", message: "line 1: unexpected end" }] }] };
  const user = show("/workflows/commande/edit");
  await user.type(await nameField(), "s");
  await user.click(screen.getByRole("button", { name: "Enregistrer" }));
  expect(await screen.findByRole("img", { name: "1 valeur à corriger" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: /Requête HTTP/ }));
  expect(screen.getByRole("textbox", { name: "Adresse" })).toHaveAccessibleDescription(/unexpected end/);
});

test("a save from an old revision shows what differs; both together are saved from the new one", async () => {
  const theirs = { ...ORDER(), description: "Leur description" };
  let first = true;
  answers = {
    "GET /workflows/commande": () => [200, sent.some(({ at }) => at.startsWith("PUT")) ? stored(theirs, 4) : stored(ORDER())],
    "PUT /workflows/commande": (body) => {
      const stale = first;
      first = false;
      return stale ? [412, { type: "stale", title: "", status: 412, detail: "stale", current_revision: 4, your_revision: 3 }] : [200, stored(body as Workflow, 5)];
    },
  };
  const user = show("/workflows/commande/edit");
  await user.type(await nameField(), " 2");
  await user.click(screen.getByRole("button", { name: "Enregistrer" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("Leur description");
  await user.click(within(dialog).getByRole("button", { name: "Réunir les deux" }));
  await screen.findByText("Workflow enregistré");
  expect(saves().map(({ revision }) => revision)).toEqual(['"3"', '"4"']);
  expect(saves().at(-1)?.body).toMatchObject({ name: "Commande 2", description: "Leur description" });
});

test("a broken value is never sent", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())] };
  const user = show("/workflows/commande/edit");
  await user.clear(await nameField());
  await user.click(screen.getByRole("button", { name: "Enregistrer" }));
  expect(await screen.findByText("1 valeur à corriger", { selector: "p" })).toBeInTheDocument();
  expect(saves()).toEqual([]);
});

test("a step is moved with the keyboard, which stays with it", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())] };
  const user = show("/workflows/commande/edit");
  (await screen.findByRole("button", { name: "Descendre find" })).focus();
  await user.keyboard("{Enter}");
  expect(screen.getByText("find est maintenant l’étape 2 sur 2")).toBeInTheDocument();
  await waitFor(() => expect(screen.getByRole("button", { name: "Monter find" })).toHaveFocus());
  await user.keyboard("{Enter}");
  await waitFor(() => expect(screen.getByRole("button", { name: "Descendre find" })).toHaveFocus());
});

test("what is on the page is tried; a failure says what to do, and an answer is never markup", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())], "POST /workflows/commande/try": [200, RUN] };
  const user = show("/workflows/commande/try");
  await user.type(await screen.findByRole("textbox", { name: /order_number/ }), "123456");
  await user.click(screen.getByRole("button", { name: "Essayer" }));
  expect(await screen.findByText("Étape find : le service a répondu avec le code 500")).toBeInTheDocument();
  expect(screen.getByText(/Le service a une panne/)).toBeInTheDocument();
  expect(screen.getByText("<script>alert(1)</script>")).toBeInTheDocument();
  expect(sent.find(({ at }) => at.endsWith("/try"))?.body).toMatchObject({ document: { name: "Commande" }, sample: { input: { order_number: "123456" }, language: "fr-FR" } });
});

test("the server is down while trying: it is said, and nothing is lost", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())] };
  const user = show("/workflows/commande/try");
  const value = await screen.findByRole("textbox", { name: /order_number/ });
  await user.type(value, "42");
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("down")));
  await user.click(screen.getByRole("button", { name: "Essayer" }));
  expect(await screen.findByText("Le serveur ne répond pas")).toBeInTheDocument();
  expect(value).toHaveValue("42");
});

test("a workflow that an agent names is not deleted, and the agent is named", async () => {
  const item = { ...stored(ORDER()), used_by: [{ kind: "agent", id: "standard", name: "Standard", path: "actions[0].workflow_id", live: true }], last_run: null };
  answers = { "GET /workflows": [200, { items: [item], next_cursor: null }], "DELETE /workflows/commande": [409, { type: "in-use", title: "", status: 409, detail: "used", used_by: item.used_by }] };
  const user = show("/workflows");
  await user.click(await screen.findByRole("button", { name: "Supprimer Commande" }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Supprimer" }));
  expect(within(await screen.findByRole("alert")).getByRole("link", { name: "Standard" })).toBeInTheDocument();
});

test("somebody who may only read changes nothing and tries nothing", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())] };
  show("/workflows/commande/edit", ["read"]);
  expect(await nameField()).toBeDisabled();
  expect(screen.queryByRole("button", { name: "Enregistrer" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Ajouter une étape" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Nouveau secret" })).toBeNull();
});

test("a secret that is named and missing is shown, and given its value without leaving", async () => {
  const document = ORDER();
  const named: Workflow = { ...document, steps: (document.steps ?? []).map((step) => (step.type === "http" ? { ...step, headers: { Authorization: "Bearer {{ secrets.SHOP_KEY }}" } } : step)) };
  answers = { "GET /workflows/commande": [200, stored(named)], "GET /secrets": [200, { items: ["OTHER"] }], "PUT /secrets/SHOP_KEY": [204, null] };
  const user = show("/workflows/commande/edit");
  await screen.findByText("Le secret SHOP_KEY n’existe pas");
  await user.click(screen.getByRole("button", { name: "Donner sa valeur" }));
  await user.type(within(screen.getByRole("dialog")).getByLabelText(/Valeur/), "s3cret");
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Enregistrer" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent.find(({ at }) => at === "PUT /secrets/SHOP_KEY")?.body).toEqual({ value: "s3cret" });
});

test("sample data that does not read is not tried, and what was typed stays", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())] };
  const user = show("/workflows/commande/try");
  const variables = await screen.findByRole("textbox", { name: "Variables de l’appel" });
  await user.clear(variables);
  await user.type(variables, '{{"a": ');
  await user.tab();
  expect(variables).toHaveValue('{"a": ');
  expect(variables).toHaveAccessibleDescription(/JSON valide/);
  expect(screen.getByRole("button", { name: "Essayer" })).toBeDisabled();
  await user.click(screen.getByRole("switch", { name: "En JSON" }));
  expect(screen.getByRole("button", { name: "Essayer" })).toBeEnabled();
});

test("a name that no call can have is refused by the server and said beside the sample", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())], "POST /workflows/commande/try": [422, { type: "x", title: "", status: 422, detail: "the sample is not valid.", errors: [{ path: "sample.context", message: "'system' is reserved" }] }] };
  const user = show("/workflows/commande/try");
  await user.click(await screen.findByRole("button", { name: "Essayer" }));
  expect(await screen.findByText("context: 'system' is reserved")).toBeInTheDocument();
});

test("runs: filtered by the server; a run that is gone is a missing page", async () => {
  answers = { "GET /workflows/commande": [200, stored(ORDER())], "GET /workflows/commande/runs": () => [200, { items: [{ ...RUN, id: sent.at(-1)?.query.includes("cursor") ? "r2" : "r1" }], next_cursor: "more" }], "GET /workflows/commande/runs/r1": [404, { type: "x", title: "", status: 404, detail: "gone" }] };
  const user = show("/workflows/commande/runs");
  await user.selectOptions(await screen.findByRole("combobox", { name: "État" }), "Échouée");
  await waitFor(() => expect(sent.at(-1)).toMatchObject({ at: "GET /workflows/commande/runs", query: "status=error&limit=50" }));
  await user.click(await screen.findByRole("button", { name: "Plus anciens" }));
  await waitFor(() => expect(sent.at(-1)?.query).toBe("status=error&cursor=more&limit=50"));
  await user.click(within(screen.getAllByRole("row")[1] ?? document.body).getAllByRole("link")[0] ?? document.body);
  expect(await screen.findByText("Il n’y a rien à cette adresse")).toBeInTheDocument();
});

test("a delivery that was confirmed meanwhile cannot be sent again: it is said, and the list is asked again", async () => {
  const delivery = { id: "d1", call_id: "c1", workflow_id: "commande", status: "failed", attempts: 9, created_at: "2026-05-04T09:00:00Z", updated_at: "2026-05-04T09:00:00Z", next_at: null, error: "crm.example answered 500." };
  answers = { "GET /workflows/commande": [200, stored(fromStarter("postCall", "Commande", i18n.t))], "GET /deliveries": [200, { items: [delivery], next_cursor: null }], "POST /deliveries/d1/resend": [409, { type: "x", title: "", status: 409, detail: "it was delivered." }] };
  const user = show("/workflows/commande/deliveries");
  expect(await screen.findByText("crm.example answered 500.")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Renvoyer" }));
  expect(await screen.findByText("it was delivered.")).toBeInTheDocument();
  await waitFor(() => expect(sent.filter(({ at }) => at === "GET /deliveries")).toHaveLength(2));
});
