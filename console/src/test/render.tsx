/** A component as a tab of the agent editor sees it: a draft, its form, the dictionaries, no server. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { useCallback, useEffect, useReducer, useState, type ReactNode } from "react";
import { MemoryRouter } from "react-router";
import { blankAgent } from "@/agent/blank";
import { agent as agentSchema, failoverTab, type Agent, type FailoverTab } from "@/agent/schema";
import { begin, editing, isDirty } from "@/agents/editing";
import { AgentEditorContext } from "@/agents/editor";
import { same } from "@/agent/differences";
import { SessionContext } from "@/api/session";
import { FormContext, useDocumentForm } from "@/form/FormContext";
import { setAt, type Segment } from "@/form/paths";
import i18n from "@/i18n";

export function newAgent(change: Partial<Agent> = {}): Agent {
  return { ...blankAgent("Standard", "fr-FR", "Europe/Paris"), ...change };
}

interface Held {
  draft: Agent;
  tab: FailoverTab;
}

function Editor({ agent, tell, children }: { agent: Agent; tell: (held: Held) => void; children: ReactNode }) {
  const [state, dispatch] = useReducer(editing, agent, (document) => begin(document, 1));
  const change = useCallback((path: readonly Segment[], next: unknown) => dispatch({ type: "changed", path, next, at: 0 }), []);
  const form = useDocumentForm(agentSchema, state.draft, change);
  const live: FailoverTab = { failover: agent.failover, default_error_message: agent.default_error_message };
  const [tab, setTab] = useState(live);
  const changeTab = useCallback((path: readonly Segment[], next: unknown) => setTab((all) => setAt(all, path, next)), []);
  const tabForm = useDocumentForm(failoverTab, tab, changeTab);
  const { draft } = state;
  useEffect(() => tell({ draft, tab }), [tell, draft, tab]);
  const editor = {
    id: "standard",
    draft: state.draft,
    base: state.base,
    dirty: isDirty(state),
    readOnly: false,
    liveVersion: 1,
    form,
    edit: (edit: (draft: Agent) => Agent) => dispatch({ type: "edited", edit }),
    undo: () => dispatch({ type: "undone" }),
    redo: () => dispatch({ type: "redone" }),
    canUndo: state.past.length > 0,
    canRedo: state.future.length > 0,
    save: () => Promise.resolve(true),
    saving: false,
    revision: 1,
    reload: () => Promise.resolve(),
    failover: { live, draft: tab, dirty: !same(live, tab), form: tabForm, change: setTab, save: () => Promise.resolve(), saving: false, discard: () => setTab(live) },
  };
  return (
    <AgentEditorContext value={editor}>
      <FormContext value={form.context}>{children}</FormContext>
    </AgentEditorContext>
  );
}

/** Renders in French, and gives what the draft has become. */
export async function renderInEditor(children: ReactNode, agent: Agent, known: Record<string, unknown> = {}) {
  await i18n.changeLanguage("fr");
  const held: Held = { draft: agent, tab: { failover: agent.failover, default_error_message: agent.default_error_message } };
  const tell = (now: Held) => void Object.assign(held, now);
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false, queryFn: () => Promise.resolve([]) } } });
  for (const name of ["sip-connections", "workflows", "data-sources", "agents"]) client.setQueryData([name], known[name] ?? []);
  client.setQueryData(["settings"], { revision: 1, document: { failover_enabled: false, default_country: "FR" } });
  const session = { signed_in: true, user: null, scopes: ["read", "write", "admin"] as ("read" | "write" | "admin")[], csrf_token: "", first_sign_in: false };
  render(
    <QueryClientProvider client={client}>
      <SessionContext value={session}>
        <MemoryRouter>
          <Editor agent={agent} tell={tell}>
            {children}
          </Editor>
        </MemoryRouter>
      </SessionContext>
    </QueryClientProvider>,
  );
  return held;
}
