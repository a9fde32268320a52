import { Trash2, Zap } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { useTranslation } from "react-i18next";
import { blankAction } from "@/agent/blank";
import { ACTION_KINDS, SINGLE_KINDS, type ActionKind } from "@/agent/limits";
import { removeAction, stepsUsing } from "@/agent/references";
import type { Action } from "@/agent/schema";
import { slug } from "@/agent/slug";
import { useAgentEditor } from "@/agents/editor";
import { IconButton } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { FieldError } from "@/ui/Field";
import { EmptyState, Section } from "@/ui/Layouts";
import { ActionSummary } from "./ActionSummary";
import { ACTION_ICONS } from "./kinds";

/** What the agent may do beyond talking. */
export function ActionsTab() {
  const { t } = useTranslation();
  const { draft, edit, readOnly } = useAgentEditor();
  const [removing, setRemoving] = useState<number | null>(null);
  const removed = removing === null ? undefined : draft.actions[removing];
  return (
    <div className="grid gap-6">
      <Section title={t("actions.title")} hint={t("actions.hint")}>
        {draft.actions.length === 0 ? (
          <EmptyState icon={Zap} title={t("actions.empty")} hint={t("actions.emptyHint")} />
        ) : (
          <ul className="grid gap-3">
            {draft.actions.map((action, index) => (
              <ActionRow key={index} action={action} index={index} onRemove={readOnly ? undefined : () => setRemoving(index)} />
            ))}
          </ul>
        )}
      </Section>
      {!readOnly && <AddAction />}
      {removed && removing !== null && (
        <ConfirmDialog
          title={t("actions.removeTitle", { name: removed.name })}
          description={t("actions.removeHint", { count: stepsUsing(draft.path, removed.name).length })}
          action={t("ui.delete")}
          onConfirm={() => {
            edit((agent) => removeAction(agent, removing));
            setRemoving(null);
          }}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}

function ActionRow({ action, index, onRemove }: { action: Action; index: number; onRemove: (() => void) | undefined }) {
  const { t } = useTranslation();
  const { draft, form } = useAgentEditor();
  const Icon = ACTION_ICONS[action.type];
  const wrong = form.shown.filter((problem) => problem.path.startsWith(`actions[${index}]`)).length;
  const used = stepsUsing(draft.path, action.name);
  return (
    <li className="relative flex items-start gap-4 rounded-card bg-surface p-4 ring-1 ring-line transition-shadow hover:ring-brand">
      <span className="grid size-10 shrink-0 place-items-center rounded-full bg-brand-wash text-brand-strong">
        <Icon aria-hidden className="size-5" />
      </span>
      <div className="grid min-w-0 flex-1 gap-0.5">
        <p className="eyebrow">{t(`actions.kind.${action.type}`)}</p>
        <Link to={String(index)} className="font-semibold break-words after:absolute after:inset-0 after:rounded-card hover:underline">
          {action.name || t("actions.unnamed")}
        </Link>
        <p className="line-clamp-2 text-sm text-ink-soft">{action.description}</p>
        <ActionSummary action={action} />
        <p className="text-sm text-ink-faint">{draft.path === null ? t("actions.everywhere") : used.length ? t("actions.usedIn", { steps: used.map((step) => step.name ?? step.id).join(", ") }) : t("actions.unused")}</p>
        {wrong > 0 && <FieldError text={t("editor.problems", { count: wrong })} />}
      </div>
      {onRemove && <IconButton icon={Trash2} label={t("actions.remove", { name: action.name })} onClick={onRemove} className="z-10" />}
    </li>
  );
}

/** The six kinds; one that an agent has once at most says so when it is there. */
function AddAction() {
  const { t, i18n } = useTranslation();
  const { draft, edit } = useAgentEditor();
  const navigate = useNavigate();

  function add(kind: ActionKind) {
    const made = blankAction(kind, i18n.getFixedT(draft.language.startsWith("fr") ? "fr" : "en"));
    const taken = draft.actions.map((action) => slug(action.name));
    let name = made.name;
    for (let count = 2; taken.includes(slug(name)); count += 1) name = `${made.name} ${count}`;
    edit((agent) => ({ ...agent, actions: [...agent.actions, { ...made, name }] }));
    void navigate(String(draft.actions.length), { state: { added: true } });
  }

  return (
    <Section title={t("actions.add")} hint={t("actions.addHint")}>
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {ACTION_KINDS.map((kind) => {
          const Icon = ACTION_ICONS[kind];
          const there = SINGLE_KINDS.includes(kind) && draft.actions.some((action) => action.type === kind);
          return (
            <li key={kind}>
              <button
                type="button"
                disabled={there}
                aria-label={t("actions.addKind", { kind: t(`actions.kind.${kind}`) })}
                aria-describedby={`add-${kind}`}
                onClick={() => add(kind)}
                className="flex h-full w-full items-start gap-3 rounded-card border border-line bg-raised p-4 text-left transition-colors hover:border-brand hover:bg-brand-wash disabled:border-dashed disabled:bg-surface disabled:hover:border-line"
              >
                <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-brand" />
                <span className="grid gap-0.5">
                  <span className="font-semibold">{t(`actions.kind.${kind}`)}</span>
                  <span id={`add-${kind}`} className="text-sm text-ink-soft">
                    {there ? t("actions.single", { kind: t(`actions.kind.${kind}`) }) : t(`actions.kindHint.${kind}`)}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}
