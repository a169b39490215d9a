import { knownWords } from "../i18n/known_words";
import type { Dictionary } from "../i18n/language";

/** What people call a standard rule; a rule of the provider's own is looked up in its manual by its name. */
export function ruleWords(name: string, text: Dictionary): string {
  return knownWords(text.ruleNames, name) ?? name;
}
