import { useIsMutating } from "@tanstack/react-query";

/** Whether something is being saved. */
export function useUpdating(): boolean {
  return useIsMutating() > 0;
}
