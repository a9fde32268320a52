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
          { path: "connections", lazy: async () => ({ Component: (await import("@/connections/ConnectionListPage")).ConnectionListPage }) },
          { path: "connections/:id", lazy: async () => ({ Component: (await import("@/connections/ConnectionPage")).ConnectionPage }) },
          { path: "*", element: <MissingPage /> },
        ],
      },
    ],
  },
]);
