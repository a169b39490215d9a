import { useSession } from "../api/session";
import { useLanguage } from "../i18n/language";
import { warningWords } from "../i18n/problem_text";
import styles from "./warnings.module.css";

/** What the server says is missing in its answer; whoever is no operator reads of our own parts in their own words. */
export function Warnings({ messages }: { messages: readonly string[] }) {
  const { text, format } = useLanguage();
  const isOperator = useSession().data?.role === "operator";
  const sentences = messages.map((message) => warningWords(message, text, format, isOperator));
  if (sentences.length === 0) return null;
  return (
    <ul className={styles.warnings}>
      {[...new Set(sentences)].map((sentence) => (
        <li key={sentence}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M8 1.500 15.500 14.500H.5Z" />
            <path d="M8 6v4.200M8 12.300v.1" />
          </svg>
          {sentence}
        </li>
      ))}
    </ul>
  );
}
