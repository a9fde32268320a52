import { Suspense, useEffect, useRef, useState } from "react";
import { Menu, X } from "lucide-react";
import { Outlet, useLocation, useNavigation } from "react-router";
import { useTranslation } from "react-i18next";
import { Skeleton } from "@/ui/Layouts";
import { Brand } from "./Brand";
import { Navigation } from "./Navigation";
import { useUpdating } from "./useUpdating";

export function Layout() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const navigation = useNavigation();
  const updating = useUpdating();
  const content = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const last = useRef(pathname);

  // What had the focus may have gone with the page that was left; the keyboard then goes on in the new one.
  useEffect(() => {
    if (last.current !== pathname && document.activeElement === document.body) content.current?.focus({ preventScroll: true });
    last.current = pathname;
  }, [pathname]);

  const toggle = open ? t("nav.closeMenu") : t("nav.openMenu");
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a href="#content" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-raised focus:px-4 focus:py-2">
        {t("nav.skip")}
      </a>
      <header className="on-pine sticky top-0 z-30 flex items-center justify-between bg-pine px-4 py-2.5 text-white lg:hidden">
        <Brand />
        <button type="button" aria-label={toggle} aria-expanded={open} aria-controls="navigation" onClick={() => setOpen(!open)} className="grid size-10 place-items-center rounded-control hover:bg-pine-soft">
          {open ? <X aria-hidden /> : <Menu aria-hidden />}
        </button>
      </header>
      <aside
        id="navigation"
        className={`on-pine z-20 flex-col bg-pine text-[#e4f0ec] lg:sticky lg:top-0 lg:flex lg:h-dvh ${open ? "fixed inset-x-0 top-[3.75rem] bottom-0 flex overflow-y-auto" : "hidden"}`}
      >
        <div className="hidden px-5 pt-6 pb-5 lg:block">
          <Brand />
        </div>
        <Navigation onNavigate={() => setOpen(false)} />
      </aside>
      <div className="min-w-0">
        <div aria-hidden className={`fixed inset-x-0 top-0 z-40 h-0.5 origin-left bg-lamp transition-transform duration-500 ${navigation.state === "loading" || updating ? "scale-x-75" : "scale-x-0 duration-0"}`} />
        <main ref={content} id="content" tabIndex={-1} className="mx-auto max-w-6xl px-4 py-6 outline-none sm:px-8 sm:py-8">
          <Suspense fallback={<Skeleton />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
    </div>
  );
}
