/** Who is signed in. */
import { queryOptions } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { request, setCsrfToken } from "./client";
import type { Scope, SessionState } from "./types";

async function told(state: Promise<SessionState>): Promise<SessionState> {
  const session = await state;
  setCsrfToken(session.csrf_token ?? "");
  return session;
}

export const sessionQuery = queryOptions({ queryKey: ["session"], queryFn: () => told(request("GET", "/session")), staleTime: Infinity });
export const signIn = (name: string, password: string) => told(request("POST", "/session", { body: { name, password } }));
export const firstSignIn = (admin_key: string, name: string, password: string) => told(request("POST", "/session/first", { body: { admin_key, name, password } }));
/** Every other session of the user ends, and this one begins anew. */
export const changePassword = (current_password: string, new_password: string) => told(request("PUT", "/session/password", { body: { current_password, new_password } }));
export const signOut = () => request<undefined>("DELETE", "/session");

export const SessionContext = createContext<SessionState | null>(null);

export function useSession(): SessionState | null {
  return useContext(SessionContext);
}

export function useMay(scope: Scope): boolean {
  return useSession()?.scopes.includes(scope) ?? false;
}
