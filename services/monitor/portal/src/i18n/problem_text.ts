import { ApiError } from "../api/client";
import { knownWords } from "./known_words";
import type { Dictionary } from "./language";

/** A sentence of the server's in the user's language; quoted as it is where it is not one that we know. */
export function serverWords(message: string, text: Dictionary, isOperator = true): string {
  const own = isOperator ? undefined : knownWords(text.serverWordsForCustomers, message);
  return own ?? knownWords(text.serverWords, message) ?? text.problem.generic(message);
}

/** The words for a request that failed; undefined while none did. */
export function problemText(error: Error | null, text: Dictionary): string | undefined {
  if (error === null) return undefined;
  if (!(error instanceof ApiError) || error.code === "unreachable") return text.login.unreachable;
  if (error.code === "forbidden") return text.problem.forbidden;
  if (error.code === "unauthenticated") return text.login.ended;
  return serverWords(error.message, text);
}
