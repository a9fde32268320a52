import { useState, type ReactNode } from "react";
import { Dialog as Radix } from "radix-ui";
import { Maximize2, Minus, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { giveBack } from "@/ui/giveBack";

interface DrawerProps {
  title: string;
  status?: ReactNode;
  /** What the button that closes it does. */
  closeLabel: string;
  /** Escape closes it. */
  easy: boolean;
  onClose: () => void;
  /** What had the focus before, and gets it back. */
  opener: Element | null;
  children: ReactNode;
  foot?: ReactNode;
}

/** A panel beside the page, which goes on working. Where there is no room for both, it covers the page and can be folded. */
export function Drawer({ title, status, closeLabel, easy, onClose, opener, children, foot }: DrawerProps) {
  const { t } = useTranslation();
  const [folded, setFolded] = useState(false);
  const fold = folded ? t("talk.unfold") : t("talk.fold");
  return (
    <Radix.Root open modal={false} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Content
          aria-describedby={undefined}
          onInteractOutside={(event) => event.preventDefault()}
          onEscapeKeyDown={(event) => event.preventDefault()}
          onKeyDown={(event) => event.key === "Escape" && easy && onClose()}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
          }}
          onCloseAutoFocus={giveBack(opener)}
          className={classes(
            "drawer fixed right-0 bottom-0 z-35 flex w-full flex-col bg-surface shadow-float outline-none motion-safe:animate-[rise_160ms_ease-out] sm:w-100 sm:border-l sm:border-line",
            folded ? "max-xl:rounded-t-card xl:top-0" : "top-0",
          )}
        >
          <header className="flex items-start justify-between gap-3 border-b border-line px-5 pt-4 pb-3">
            <div className="grid min-w-0 gap-0.5">
              <Radix.Title className="truncate text-lg font-bold">{title}</Radix.Title>
              {status}
            </div>
            <span className="-mt-1 -mr-2 flex">
              <IconButton icon={folded ? Maximize2 : Minus} label={fold} aria-expanded={!folded} className="xl:hidden" onClick={() => setFolded(!folded)} />
              <IconButton icon={X} label={closeLabel} onClick={onClose} />
            </span>
          </header>
          <div className={classes("min-h-0 flex-1 flex-col", folded ? "hidden xl:flex" : "flex")}>{children}</div>
          {foot && <footer className={classes("border-t border-line bg-raised px-5 py-4", folded && "max-xl:hidden")}>{foot}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
