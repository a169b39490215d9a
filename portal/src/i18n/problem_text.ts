import { ApiError } from "../api/client";
import type { Formatter } from "./formatter";
import { knownWords } from "./known_words";
import type { Dictionary } from "./language";

/** A sentence of the server's in the reader's language, a customer's without our own parts; undefined for one that is not known. */
export function serverWords(
  message: string,
  text: Dictionary,
  isOperator: boolean,
): string | undefined {
  const own = isOperator ? undefined : knownWords(text.serverWordsForCustomers, message);
  return own ?? knownWords(text.serverWords, message);
}

/** The router's remark that the long-term store did not answer, with the moment from which on nothing is missing. */
const coldPart = /^cold part missing: (?:.*samples before (\d{4}-\d\d-\d\dT[\d:.]+Z))?/;

function remarkWords(
  message: string,
  text: Dictionary,
  format: Formatter,
  isOperator: boolean,
): string | undefined {
  const cold = coldPart.exec(message);
  if (cold !== null) {
    const since = cold[1] === undefined ? null : format.moment(new Date(cold[1]));
    return isOperator ? text.coldMissing(since) : text.coldMissingForCustomers(since);
  }
  if (message.startsWith("hot part missing: ")) {
    return isOperator ? text.hotMissing : text.hotMissingForCustomers;
  }
  return undefined;
}

/** What is missing in an answer, in the reader's words: an operator is quoted what we have no words for. */
export function warningWords(
  message: string,
  text: Dictionary,
  format: Formatter,
  isOperator: boolean,
): string {
  const quoted = isOperator ? text.problem.generic(message) : text.somethingMissing;
  return (
    serverWords(message, text, isOperator) ??
    remarkWords(message, text, format, isOperator) ??
    quoted
  );
}

/** The words for a request that failed; undefined while none did. */
export function problemText(
  error: Error | null,
  text: Dictionary,
  isOperator = false,
): string | undefined {
  if (error === null) return undefined;
  if (!(error instanceof ApiError) || error.code === "unreachable") return text.login.unreachable;
  if (error.code === "forbidden") return text.problem.forbidden;
  if (error.code === "unauthenticated") return text.login.ended;
  return serverWords(error.message, text, isOperator) ?? text.problem.generic(error.message);
}
