import { useState, type ReactNode } from "react";
import { Dialog as Radix } from "radix-ui";
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "./Button";
import { classes } from "./classes";
import { giveBack } from "./giveBack";

interface DialogProps {
  title: string;
  description?: ReactNode;
  onClose: () => void;
  wide?: boolean;
  children?: ReactNode;
  /** Buttons at the foot. */
  foot?: ReactNode;
}

/** Where there is something to fill in the person begins there, not at the cross that closes. */
function beginAtFirstField(event: Event) {
  const field = (event.currentTarget as HTMLElement | null)?.querySelector<HTMLElement>("input:enabled, select:enabled, textarea:enabled");
  if (!field) return;
  event.preventDefault();
  field.focus();
}

export function Dialog({ title, description, onClose, wide, children, foot }: DialogProps) {
  const { t } = useTranslation();
  const [opener] = useState(() => document.activeElement);

  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-pine/45 backdrop-blur-[2px]" />
        <Radix.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          onOpenAutoFocus={beginAtFirstField}
          onCloseAutoFocus={giveBack(opener)}
          className={classes(
            "fixed inset-x-3 top-1/2 z-50 mx-auto flex max-h-[calc(100dvh-2rem)] -translate-y-1/2 flex-col rounded-card bg-surface shadow-float motion-safe:animate-[rise_160ms_ease-out]",
            wide ? "max-w-4xl" : "max-w-lg",
          )}
        >
          <header className="flex items-start justify-between gap-4 px-5 pt-5 pb-3 sm:px-6">
            <div className="grid gap-1">
              <Radix.Title className="text-xl font-bold">{title}</Radix.Title>
              {description && <Radix.Description className="text-ink-soft">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton icon={X} label={t("ui.close")} className="-mt-1 -mr-2" />
            </Radix.Close>
          </header>
          {children && <div className="overflow-y-auto px-5 py-2 sm:px-6">{children}</div>}
          {foot && <footer className="mt-2 flex flex-wrap justify-end gap-3 border-t border-line px-5 py-4 sm:px-6">{foot}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmDialogProps {
  title: string;
  description: ReactNode;
  action: string;
  busy?: boolean;
  danger?: boolean;
  onConfirm: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** Asks before what cannot be undone. */
export function ConfirmDialog({ title, description, action, busy, danger = true, onConfirm, onClose, children }: ConfirmDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={title}
      description={description}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t("ui.cancel")}</Button>
          <Button look={danger ? "danger" : "primary"} busy={busy} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
