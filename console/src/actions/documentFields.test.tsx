/** Every field of the two documents that the product was ordered from: its French label, its bounds, its default. */
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Route, Routes } from "react-router";
import { describe, expect, test } from "vitest";
import { blankAction, blankFailoverAction } from "@/agent/blank";
import type { ActionKind } from "@/agent/limits";
import type { Failover } from "@/agent/schema";
import { FailoverTab } from "@/failover/FailoverTab";
import i18n from "@/i18n";
import { ACTION_FIELDS, named, type DocumentField } from "@/test/documentFields";
import { newAgent, renderInEditor } from "@/test/render";
import { ActionPage } from "./ActionPage";

async function renderAction(kind: ActionKind, change: object = {}) {
  const action = { ...blankAction(kind, i18n.getFixedT("fr")), ...change } as ReturnType<typeof blankAction>;
  return renderInEditor(
    <Routes>
      <Route path="/" element={<ActionPageAt />} />
      <Route path="/:index" element={<ActionPage />} />
    </Routes>,
    newAgent({ actions: [action] }),
    { "sip-connections": [{ id: "pbx", revision: 1, document: { name: "PBX" }, state: null }] },
  );
}

function ActionPageAt() {
  return (
    <Routes location="/0">
      <Route path="/:index" element={<ActionPage />} />
    </Routes>
  );
}

function expectField({ label, min, max, value }: Pick<DocumentField, "label" | "min" | "max" | "value">) {
  const [control] = screen.getAllByLabelText(named(label));
  if (!control) throw new Error(label);
  if (min !== undefined) expect(control).toHaveAttribute("min", String(min));
  if (max !== undefined) expect(control).toHaveAttribute("max", String(max));
  if (typeof value === "string" || typeof value === "number") expect(control).toHaveValue(value);
  if (min !== undefined) expect(control).toHaveAccessibleDescription(new RegExp(`Min ${min}.*max ${max === 1800 ? "1.800" : max}.*défaut ${value}`));
}

describe("actions", () => {
  test.each(ACTION_FIELDS.filter((field) => !field.needs && field.control !== "button" && field.control !== "group" && field.control !== "radio"))("$of: $label", async (field) => {
    await renderAction(field.of as ActionKind);
    expectField(field);
  });

  test("transfer over a SIP connection: headers with their own labels", async () => {
    await renderAction("transfer", { sip_connection_id: "pbx", headers: [{ name: "X-Queue", value: "1" }] });
    for (const label of ["Connexion SIP", "Id de la destination", "Header name", "Header Value", "Header User-To-User"]) expectField({ label });
    expect(screen.getByRole("button", { name: "Ajouter un en-tête" })).toBeEnabled();
  });

  test("transfer: the week, with a range added under « Ajouter »", async () => {
    const user = userEvent.setup();
    const held = await renderAction("transfer");
    await user.click(screen.getByLabelText("Restreindre le transfert à des plages horaires"));
    const days = screen.getByRole("group", { name: "Jours éligibles" });
    for (const day of ["Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche"]) expect(within(days).getByLabelText(day)).toBeInTheDocument();
    const hours = screen.getByRole("group", { name: "Heures de disponibilité" });
    await user.click(within(hours).getByRole("button", { name: "Ajouter" }));
    const action = held.draft.actions[0];
    expect(action?.type === "transfer" && action.schedule.ranges).toEqual([{ days: ["monday", "tuesday", "wednesday", "thursday", "friday"], start: "09:00", end: "17:00" }]);
  });

  test("transfer: a number is added by hand, and refused the second time", async () => {
    const user = userEvent.setup();
    const held = await renderAction("transfer");
    for (let time = 0; time < 2; time += 1) {
      await user.type(screen.getByLabelText("Numéro de téléphone"), "06 12 34 56 78");
      await user.click(screen.getAllByRole("button", { name: "Ajouter" })[0] as HTMLElement);
    }
    const action = held.draft.actions[0];
    expect(action?.type === "transfer" && action.destinations).toEqual([{ phone: "+33612345678", extension: null, description: "" }]);
    expect(screen.getByText("Cette destination est déjà dans la liste.")).toBeInTheDocument();
  });

  test("a value out of bounds says so beside its field", async () => {
    const user = userEvent.setup();
    await renderAction("transfer");
    const ring = screen.getByLabelText("Durée maximale de sonnerie");
    await user.clear(ring);
    await user.type(ring, "46");
    expect(ring).toBeInvalid();
    expect(ring).toHaveAccessibleDescription(/Au plus 45\./);
  });
});

describe("failover", () => {
  const withFailover = (action: Failover["action"]) => newAgent({ failover: { enabled: true, forced_until: null, during_call: false, action } });

  test("is off by default, and says what happens then", async () => {
    await renderInEditor(<FailoverTab />, newAgent());
    expect(screen.getByLabelText("Activer le failover")).not.toBeChecked();
    expect(screen.getByText(/Désactivé par défaut/)).toBeInTheDocument();
    expect(screen.getByText("Le failover est désactivé pour toute l’installation")).toBeInTheDocument();
  });

  test("has the three kinds", async () => {
    await renderInEditor(<FailoverTab />, withFailover(blankFailoverAction("message", "fr-FR")));
    for (const kind of ["Workflow", "Dire un message", "Transfert d’appel"]) expect(screen.getByRole("radio", { name: new RegExp(`^${kind}`) })).toBeInTheDocument();
    expectField({ label: "Phrase à dire" });
    expectField({ label: "Langue", value: "fr-FR" });
  });

  test("transfer to a number", async () => {
    await renderInEditor(<FailoverTab />, withFailover(blankFailoverAction("transfer", "fr-FR")));
    expectField({ label: "Durée maximale de sonnerie", min: 5, max: 45, value: 20 });
    expectField({ label: "Connexion SIP" });
    expectField({ label: "Numéro" });
    expect(screen.queryByLabelText(/Id de la destination/)).not.toBeInTheDocument();
  });

  test("transfer over a SIP connection has its own fields, and no number", async () => {
    const user = userEvent.setup();
    await renderInEditor(<FailoverTab />, withFailover(blankFailoverAction("transfer", "fr-FR")), { "sip-connections": [{ id: "pbx", revision: 1, document: { name: "PBX" }, state: null }] });
    await user.selectOptions(screen.getByLabelText(/^Connexion SIP/), "PBX");
    expectField({ label: "Id de la destination" });
    expectField({ label: "Header User-To-User" });
    expect(screen.getByRole("group", { name: "Headers personnalisés" })).toBeInTheDocument();
    expect(screen.queryByLabelText("Numéro")).not.toBeInTheDocument();
  });

  test("workflow", async () => {
    await renderInEditor(<FailoverTab />, withFailover(blankFailoverAction("workflow", "fr-FR")));
    expectField({ label: "Workflow" });
  });

  test("a change of kind is shown as not live before it is saved", async () => {
    const user = userEvent.setup();
    const held = await renderInEditor(<FailoverTab />, withFailover({ type: "message", text: "Fermé.", language: "fr-FR" }));
    await user.click(screen.getByRole("radio", { name: /^Transfert d’appel/ }));
    expect(screen.getByText("Modifié, pas encore enregistré")).toBeInTheDocument();
    expect(screen.getByText(/Les appels utilisent encore « Dire un message »/)).toBeInTheDocument();
    expect(held.draft.failover.action?.type).toBe("message");
    expect(held.tab.failover.action?.type).toBe("transfer");
  });
});
