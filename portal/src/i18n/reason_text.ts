import { knownWords } from "./known_words";
import type { Dictionary } from "./language";

const unresolvable = /^(\S+) cannot be resolved$/;

const answered = /^its host answers (\d+)$/;

/** Why a message to a channel did not arrive, in the reader's language. */
export function failureText(reason: string, text: Dictionary): string {
  const status = answered.exec(reason)?.[1];
  if (status !== undefined) return text.answers(status);
  return knownWords(text.failures, reason) ?? reasonText(reason, text);
}

/** Why the monitor refuses an address or a target (“address: private addresses …”), in the reader's language. */
export function reasonText(message: string, text: Dictionary): string {
  const reason = message.replace(/^(target|address|channel): /, "");
  const host = unresolvable.exec(reason)?.[1];
  if (host !== undefined) return text.unresolved(host);
  return knownWords(text.reasons, reason) ?? reason;
}
