import { useLanguage } from "../i18n/language";
import { serverWords } from "../i18n/problem_text";
import styles from "./warnings.module.css";

/** What the server says is missing in its answer; a customer reads of our own parts in its own words. */
export function Warnings({
  messages,
  isOperator = true,
}: {
  messages: readonly string[];
  isOperator?: boolean;
}) {
  const { text } = useLanguage();
  if (messages.length === 0) return null;
  return (
    <ul className={styles.warnings}>
      {messages.map((message) => (
        <li key={message}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M8 1.500 15.500 14.500H.5Z" />
            <path d="M8 6v4.200M8 12.300v.1" />
          </svg>
          {serverWords(message, text, isOperator)}
        </li>
      ))}
    </ul>
  );
}
