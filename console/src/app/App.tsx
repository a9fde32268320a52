import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "react-router";
import { useState } from "react";
import { whenSignedOut } from "@/api/client";
import { Unreachable } from "@/api/problem";
import { sessionQuery } from "@/api/session";
import { Toasts } from "@/ui/Toasts";
import { router } from "./routes";

function newClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (count, error) => error instanceof Unreachable && count < 2,
      },
    },
  });
  whenSignedOut(() => void client.invalidateQueries({ queryKey: sessionQuery.queryKey }));
  return client;
}

export function App() {
  const [client] = useState(newClient);
  return (
    <QueryClientProvider client={client}>
      <Toasts>
        <RouterProvider router={router} />
      </Toasts>
    </QueryClientProvider>
  );
}
