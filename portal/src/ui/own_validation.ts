import { useState, type SyntheticEvent } from "react";
import { useLanguage, type Dictionary } from "../i18n/language";

type Field = HTMLInputElement | HTMLSelectElement;

/** What is wrong with a field, in the reader's language: the browser would say it in its own. */
function problemOf(field: Field, text: Dictionary, wrong: string | undefined): string {
  const { validity, type } = field;
  if (validity.valueMissing) {
    return field instanceof HTMLSelectElement ? text.field.choose : text.field.missing;
  }
  if (validity.tooShort) return text.field.short((field as HTMLInputElement).minLength);
  if (validity.typeMismatch) return type === "email" ? text.field.email : text.field.url;
  if (validity.patternMismatch && wrong !== undefined) return wrong;
  return text.field.other;
}

function firstWrong(form: HTMLFormElement | null): Element | undefined {
  // Not by :invalid, which asks every field anew and so fires the event that is being handled (in jsdom).
  return [...(form?.elements ?? [])].find(
    (element) =>
      (element instanceof HTMLInputElement || element instanceof HTMLSelectElement) &&
      !element.validity.valid,
  );
}

/**
 * Shows what the browser finds wrong with a field below it; the first such field of a form gets the focus. The browser
 * looks at all fields at once, so what a field can tell alone belongs into its attributes and not into `onSubmit`,
 * which would be a second round. `wrong`: the words for what its pattern does not take.
 */
export function useOwnValidation(wrong?: string) {
  const { text } = useLanguage();
  const [problem, setProblem] = useState<string>();
  return {
    problem,
    onInvalid: (event: SyntheticEvent<Field>) => {
      event.preventDefault();
      const field = event.currentTarget;
      setProblem(problemOf(field, text, wrong));
      if (firstWrong(field.form) === field) field.focus();
    },
    clear: () => {
      setProblem(undefined);
    },
  };
}
