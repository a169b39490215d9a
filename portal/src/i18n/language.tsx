import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { Formatter } from "./formatter";
import { en, type Dictionary } from "./en";
import { es } from "./es";

export type { Dictionary };
export type Language = "es" | "en";

const dictionaries: Record<Language, Dictionary> = { es, en };
const storageKey = "vigia.language";

/** The remembered language, else the first of the browser's that we speak, else Spanish. */
export function initialLanguage(remembered: string | null, preferred: readonly string[]): Language {
  if (remembered === "es" || remembered === "en") return remembered;
  for (const tag of preferred) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "es" || base === "en") return base;
  }
  return "es";
}

/** The user's own variant of the language (es-AR, en-GB), so that numbers look as they are used to. */
export function localeFor(language: Language, preferred: readonly string[]): string {
  return preferred.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;
}

interface LanguageState {
  language: Language;
  setLanguage: (language: Language) => void;
  text: Dictionary;
  format: Formatter;
}

const LanguageContext = createContext<LanguageState | null>(null);

function remember(language: Language) {
  try {
    localStorage.setItem(storageKey, language);
  } catch {
    // Storage may be forbidden by the browser: the choice then lasts as long as the page.
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(() =>
    initialLanguage(remembered(), navigator.languages),
  );

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  const state = useMemo(
    () => ({
      language,
      setLanguage: (next: Language) => {
        remember(next);
        setLanguage(next);
      },
      text: dictionaries[language],
      format: new Formatter(localeFor(language, navigator.languages)),
    }),
    [language],
  );
  return <LanguageContext value={state}>{children}</LanguageContext>;
}

export function useLanguage(): LanguageState {
  const state = useContext(LanguageContext);
  if (state === null) throw new Error("useLanguage outside of LanguageProvider");
  return state;
}
