import { createBrowserRouter, Navigate } from "react-router";
import { AgentListPage } from "@/agents/AgentListPage";
import { ErrorPage } from "./ErrorPage";
import { MissingPage } from "./MissingPage";
import { SignedIn } from "./SignedIn";

export const router = createBrowserRouter([
  {
    element: <SignedIn />,
    errorElement: <ErrorPage />,
    children: [
      {
        errorElement: <ErrorPage />,
        children: [
          { index: true, element: <Navigate to="/agents" replace /> },
          { path: "agents", element: <AgentListPage /> },
          {
            path: "agents/:id",
            lazy: async () => ({ Component: (await import("@/agents/AgentEditorPage")).AgentEditorPage }),
            children: [
              { index: true, element: <Navigate to="general" replace /> },
              { path: "general", lazy: async () => ({ Component: (await import("@/agents/GeneralTab")).GeneralTab }) },
              { path: "voice", lazy: async () => ({ Component: (await import("@/agents/VoiceTab")).VoiceTab }) },
              { path: "numbers", lazy: async () => ({ Component: (await import("@/agents/NumbersTab")).NumbersTab }) },
              { path: "path", lazy: async () => ({ Component: (await import("@/path/PathTab")).PathTab }) },
              { path: "actions", lazy: async () => ({ Component: (await import("@/actions/ActionsTab")).ActionsTab }) },
              { path: "actions/:index", lazy: async () => ({ Component: (await import("@/actions/ActionPage")).ActionPage }) },
              { path: "failover", lazy: async () => ({ Component: (await import("@/failover/FailoverTab")).FailoverTab }) },
              { path: "versions", lazy: async () => ({ Component: (await import("@/agents/VersionsTab")).VersionsTab }) },
            ],
          },
          { path: "calls", lazy: async () => ({ Component: (await import("@/calls/CallListPage")).CallListPage }) },
          { path: "calls/:id", lazy: async () => ({ Component: (await import("@/calls/CallPage")).CallPage }) },
          { path: "workflows", lazy: async () => ({ Component: (await import("@/workflows/WorkflowListPage")).WorkflowListPage }) },
          {
            path: "workflows/:id",
            lazy: async () => ({ Component: (await import("@/workflows/WorkflowEditorPage")).WorkflowEditorPage }),
            children: [
              { index: true, element: <Navigate to="edit" replace /> },
              { path: "edit", lazy: async () => ({ Component: (await import("@/workflows/EditTab")).EditTab }) },
              { path: "try", lazy: async () => ({ Component: (await import("@/workflows/TryTab")).TryTab }) },
              { path: "runs", lazy: async () => ({ Component: (await import("@/workflows/RunsTab")).RunsTab }) },
              { path: "runs/:run", lazy: async () => ({ Component: (await import("@/workflows/RunPage")).RunPage }) },
              { path: "deliveries", lazy: async () => ({ Component: (await import("@/workflows/DeliveriesTab")).DeliveriesTab }) },
            ],
          },
          { path: "knowledge", lazy: async () => ({ Component: (await import("@/knowledge/SourceListPage")).SourceListPage }) },
          {
            path: "knowledge/:id",
            lazy: async () => ({ Component: (await import("@/knowledge/SourcePage")).SourcePage }),
            children: [
              { index: true, element: <Navigate to="documents" replace /> },
              { path: "documents", lazy: async () => ({ Component: (await import("@/knowledge/DocumentsTab")).DocumentsTab }) },
              { path: "settings", lazy: async () => ({ Component: (await import("@/knowledge/SettingsTab")).SettingsTab }) },
            ],
          },
          { path: "connections", lazy: async () => ({ Component: (await import("@/connections/ConnectionListPage")).ConnectionListPage }) },
          { path: "connections/:id", lazy: async () => ({ Component: (await import("@/connections/ConnectionPage")).ConnectionPage }) },
          {
            path: "settings",
            lazy: async () => ({ Component: (await import("@/settings/SettingsPage")).SettingsPage }),
            children: [
              { index: true, element: <Navigate to="general" replace /> },
              { path: "general", lazy: async () => ({ Component: (await import("@/settings/GeneralTab")).GeneralTab }) },
              { path: "limits", lazy: async () => ({ Component: (await import("@/settings/LimitsTab")).LimitsTab }) },
              { path: "privacy", lazy: async () => ({ Component: (await import("@/settings/PrivacyTab")).PrivacyTab }) },
              { path: "failover", lazy: async () => ({ Component: (await import("@/settings/FailoverSettingsTab")).FailoverSettingsTab }) },
              { path: "alerts", lazy: async () => ({ Component: (await import("@/settings/AlertsTab")).AlertsTab }) },
              { path: "providers", lazy: async () => ({ Component: (await import("@/settings/ProvidersTab")).ProvidersTab }) },
              { path: "keys", lazy: async () => ({ Component: (await import("@/settings/KeysTab")).KeysTab }) },
              { path: "users", lazy: async () => ({ Component: (await import("@/settings/UsersTab")).UsersTab }) },
              { path: "secrets", lazy: async () => ({ Component: (await import("@/settings/SecretsTab")).SecretsTab }) },
              { path: "audit", lazy: async () => ({ Component: (await import("@/settings/AuditTab")).AuditTab }) },
            ],
          },
          { path: "*", element: <MissingPage /> },
        ],
      },
    ],
  },
]);
