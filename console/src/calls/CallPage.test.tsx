/** The page of a call that is under way: it follows, says when it cannot, and becomes the page of a call that is over. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SessionContext } from "@/api/session";
import type { Scope } from "@/api/types";
import i18n from "@/i18n";
import { json, problem, serve, type Answer } from "@/test/serve";
import { Toasts } from "@/ui/Toasts";
import { CallPage } from "./CallPage";

const CALL = {
  id: "one", direction: "inbound", status: "in_progress", agent_id: "cabinet", agent_version: 1, caller: "+33612345678", called: "+33123456789", anonymous: false, from_browser: false, connection_id: null,
  language: "fr-FR", started_at: "2026-05-04T09:30:00Z", answered_at: "2026-05-04T09:30:01Z", ended_at: null, ended_by: null, end_reason: "", end_code: null, trigger: null,
  failover_action: null, failover_outcome: null, has_recording: true, sip_call_id: "", context: {},
};
const OVER = { ...CALL, status: "completed", ended_at: "2026-05-04T09:31:00Z", ended_by: "caller", end_reason: "hung up", end_code: "hung_up" };
const WORDS = { number: 1, at_ms: 1000, actor: "agent", kind: "transcript", payload: { text: "Bonjour !" } };

beforeEach(() => i18n.changeLanguage("fr"));
afterEach(() => vi.unstubAllGlobals());

function page(answers: Record<string, Answer>, scopes: Scope[] = ["read", "calls", "admin"]) {
  const server = serve({ "GET /agents?limit=500": () => json(200, { items: [], next_cursor: null }), ...answers });
  const session = { signed_in: true, user: null, scopes, csrf_token: "", first_sign_in: false };
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <SessionContext value={session}>
        <Toasts>
          <MemoryRouter initialEntries={["/calls/one"]}>
            <Routes>
              <Route path="/calls/:id" element={<CallPage />} />
            </Routes>
          </MemoryRouter>
        </Toasts>
      </SessionContext>
    </QueryClientProvider>,
  );
  return { server, user: userEvent.setup() };
}

test("it follows the call, and with its end is the ordinary page", async () => {
  let call: object = CALL;
  const { server } = page({ "GET /calls/one": () => json(200, call), "GET /calls/one/timeline": () => json(200, { items: [WORDS, { ...WORDS, number: 2, kind: "hang_up", payload: { who: "caller", why: "hung up", code: "hung_up" } }] }) });
  await waitFor(() => expect(server.did("GET", "/calls/one/events")).toHaveLength(1));
  act(() => server.events.tell("timeline", WORDS));
  expect(await screen.findByText("Bonjour !")).toBeInTheDocument();
  expect(server.did("GET", "/calls/one/timeline")).toHaveLength(0);
  expect(screen.queryByRole("button", { name: "Supprimer" })).not.toBeInTheDocument();

  call = OVER;
  act(() => server.events.tell("end", OVER));
  expect(await screen.findByRole("button", { name: "Supprimer" })).toBeInTheDocument();
  expect(await screen.findByText("Raccroché (Appelant)")).toBeInTheDocument();
  expect(screen.getByText("Enregistrement")).toBeInTheDocument();
  expect(screen.queryByRole("button", { name: "Raccrocher" })).not.toBeInTheDocument();
});

test("when the server goes away it says so, keeps what was said, and comes back", async () => {
  const { server } = page({ "GET /calls/one": () => json(200, CALL) });
  await waitFor(() => expect(server.did("GET", "/calls/one/events")).toHaveLength(1));
  act(() => server.events.tell("timeline", WORDS));
  await screen.findByText("Bonjour !");
  act(() => server.events.breaks());
  expect(await screen.findByText("Le serveur ne répond plus")).toBeInTheDocument();
  expect(screen.getByText("Bonjour !")).toBeInTheDocument();
  await waitFor(() => expect(screen.queryByText("Le serveur ne répond plus")).not.toBeInTheDocument(), { timeout: 3000 });
});

test("hanging up asks first; a call that was over already is no error", async () => {
  const { server, user } = page({ "GET /calls/one": () => json(200, CALL), "POST /calls/one/hang-up": () => problem(409, "the call is over already.") });
  await user.click(await screen.findByRole("button", { name: "Raccrocher" }));
  expect(server.did("POST", "/calls/one/hang-up")).toHaveLength(0);
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Raccrocher" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(server.did("POST", "/calls/one/hang-up")).toHaveLength(1);
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("whoever may only read cannot hang up", async () => {
  page({ "GET /calls/one": () => json(200, CALL) }, ["read"]);
  await screen.findByText("L’appel, à mesure qu’il se déroule.");
  expect(screen.queryByRole("button", { name: "Raccrocher" })).not.toBeInTheDocument();
});
