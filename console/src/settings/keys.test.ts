import { expect, test } from "vitest";
import type { ApiKey } from "@/api/types";
import { inOrder, stateOf } from "./keys";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const key = (change: Partial<ApiKey> = {}): ApiKey => ({
  id: "k",
  name: "Shop",
  scopes: ["read"],
  hint: "parlons_Ab1c",
  rotating: false,
  created_at: "2026-05-01T12:00:00Z",
  created_by: "camille",
  rotated_at: null,
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  ...change,
});

test("a key that was revoked opens nothing, whatever else is true of it", () => {
  expect(stateOf(key({ revoked_at: "2026-05-02T00:00:00Z", rotating: true, expires_at: "2027-01-01T00:00:00Z" }), NOW)).toBe("revoked");
});

test("a key ends at its very moment", () => {
  expect(stateOf(key({ expires_at: "2026-06-01T12:00:00Z" }), NOW)).toBe("expired");
  expect(stateOf(key({ expires_at: "2026-06-01T12:00:01Z" }), NOW)).toBe("active");
});

test("a key with two secrets is being changed", () => {
  expect(stateOf(key({ rotating: true }), NOW)).toBe("rotating");
});

test("keys that open something come first, the newest of them before the others", () => {
  const keys = [key({ id: "gone", revoked_at: "2026-05-30T00:00:00Z", created_at: "2026-05-29T00:00:00Z" }), key({ id: "old" }), key({ id: "new", created_at: "2026-05-20T00:00:00Z" })];
  expect(inOrder(keys, NOW).map(({ id }) => id)).toEqual(["new", "old", "gone"]);
});
