import type { AuditEntry } from "./queries";
import { knownWords } from "../../i18n/known_words";
import type { Dictionary } from "../../i18n/language";

const randomId = /^[0-9a-f]{32}$/;

/** “user:admin” → the name and what it is; “system” is Vigía itself. */
export function actorOf(actor: string, text: Dictionary): { name: string; kind: string | null } {
  const at = actor.indexOf(":");
  if (at < 0) return { name: text.audit.system, kind: null };
  const kind = knownWords(text.audit.kinds, actor.slice(0, at)) ?? null;
  return { name: actor.slice(at + 1), kind };
}

/** What was done; an action that this portal does not know is shown as the server calls it. */
export function actionWords(action: string, text: Dictionary): string {
  return knownWords(text.audit.actions, action) ?? action;
}

/** What it was done to; a random id says nothing to a person. */
export function objectOf(entry: Pick<AuditEntry, "object">): string | null {
  return entry.object === "" || randomId.test(entry.object) ? null : entry.object;
}

/** The label that a form has for a field of the server's. */
type LabelOf = (name: string) => string | undefined;

/** Whose details are made of key=value. */
const paired: readonly string[] = [
  "customer.change",
  "customer.disable",
  "token.create",
  "token.revoke",
  "user.change",
];

/** “password is_enabled=true” in the reader's words; what is not known stays as it is. */
function pairWords(detail: string, text: Dictionary, labelOf: LabelOf): string {
  const words = detail.split(/ (?=[a-z_]+=)/).map((part) => {
    const at = part.indexOf("=");
    const key = at < 0 ? part : part.slice(0, at);
    const label = knownWords(text.audit.keys, key) ?? labelOf(key) ?? key;
    if (at < 0) return label;
    const value = part.slice(at + 1);
    return `${label}: ${knownWords(text.audit.values, value) ?? value}`;
  });
  return words.join(" · ");
}

/** What else the entry says, unless the sentence has said it. */
export function detailOf(
  entry: Pick<AuditEntry, "action" | "detail">,
  customer: string | null,
  text: Dictionary,
  labelOf: LabelOf = () => undefined,
): string | null {
  const { action, detail = "" } = entry;
  const isSaid = action === "node.register" || detail === customer;
  if (isSaid || detail === "") return null;
  if (paired.includes(action)) return pairWords(detail, text, labelOf);
  if (!action.startsWith("channel.")) return detail;
  const [type = "", ...target] = detail.split(" ");
  return [knownWords(text.channels.types, type) ?? type, ...target].join(" ");
}

/** How many more of the same were counted into this entry, and since when; null where it is one alone. */
export function repeatsOf(
  entry: Pick<AuditEntry, "detail">,
): { times: number; since: Date } | null {
  const found = /^times=(\d+) since=(\S+)$/.exec(entry.detail ?? "");
  if (found === null) return null;
  return { times: Number(found[1]), since: new Date(found[2] ?? "") };
}

/** The address without its port, which changes with every connection. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}
