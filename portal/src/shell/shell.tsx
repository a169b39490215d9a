import { useEffect, useRef, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { useAlerts, useOverview } from "../live/queries";
import type { Session } from "../api/types";
import { useLanguage } from "../i18n/language";
import { usePageName } from "../ui/page_name";
import { firingIn, worstSeverity } from "../live/standing";
import { AccountMenu } from "./account_menu";
import { titleOf } from "./document_title";
import { LanguageSwitch } from "../ui/language_switch";
import { Logo } from "../ui/logo";
import styles from "./shell.module.css";

function NavigationLink({ to, children }: { to: string; children: ReactNode }) {
  const [location] = useLocation();
  const isHere =
    to === "/" ? location === "/" || location.startsWith("/nodes/") : location.startsWith(to);
  return (
    <Link to={to} className={styles.link} aria-current={isHere ? "page" : undefined}>
      {children}
    </Link>
  );
}

/** The worst that fires; null while that is not known. */
function useWorstSeverity() {
  const alerts = useAlerts().data;
  return alerts === undefined ? null : worstSeverity(alerts);
}

/** The title of the tab says it all, also while another tab is in front. */
function useDocumentTitle() {
  const { text } = useLanguage();
  const page = usePageName();
  const { data, isError } = useOverview();
  const title = titleOf(data, isError, useWorstSeverity(), page, text);
  useEffect(() => {
    document.title = title;
    return () => {
      document.title = "Vigía";
    };
  }, [title]);
}

/** A page is read from its top, and a screen reader is put at its beginning. */
function useFocusOnNavigation() {
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const previous = useRef(location);
  useEffect(() => {
    if (previous.current === location) return;
    previous.current = location;
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [location]);
  return main;
}

export function Shell({ session, children }: { session: Session; children: ReactNode }) {
  const { text } = useLanguage();
  // For the mark in the navigation; the overview is asked for anyway.
  const overview = useOverview();
  const alertCount = firingIn(overview.data) ?? 0;
  const worst = useWorstSeverity() ?? "critical";
  // As the rest of what was seen before the server was lost, the mark is grey then.
  const severity = overview.isError ? "info" : worst;
  const main = useFocusOnNavigation();
  useDocumentTitle();
  return (
    <>
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        {text.navigation.skip}
      </button>
      <header className={styles.bar}>
        <div className={styles.inner}>
          <Link to="/" className={styles.brand}>
            <Logo className={styles.logo} />
            Vigía
          </Link>
          <nav aria-label={text.navigation.label} className={styles.navigation}>
            <NavigationLink to="/">{text.navigation.overview}</NavigationLink>
            <NavigationLink to="/alerts">
              {text.navigation.alerts}
              {alertCount > 0 && (
                <>
                  {" "}
                  <span className={styles.count} data-severity={severity}>
                    {alertCount}
                  </span>
                </>
              )}
            </NavigationLink>
            <NavigationLink to="/tokens">{text.navigation.tokens}</NavigationLink>
            <NavigationLink to="/channels">{text.navigation.channels}</NavigationLink>
            {session.role === "operator" && (
              <>
                <NavigationLink to="/customers">{text.navigation.customers}</NavigationLink>
                <NavigationLink to="/team">{text.navigation.team}</NavigationLink>
              </>
            )}
            <NavigationLink to="/audit">{text.navigation.audit}</NavigationLink>
          </nav>
          <div className={styles.tools}>
            <LanguageSwitch />
            <AccountMenu session={session} />
          </div>
        </div>
      </header>
      <main ref={main} tabIndex={-1} className={styles.main}>
        {children}
      </main>
    </>
  );
}
