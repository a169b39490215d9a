import { ApiError } from "../../api/client";
import type { Dictionary } from "../../i18n/language";

/** The words for an address that the server refuses; undefined where something else is wrong. */
export function addressProblem(error: Error | null, text: Dictionary): string | undefined {
  const prefix = "address: ";
  if (!(error instanceof ApiError) || !error.message.startsWith(prefix)) return undefined;
  return text.addNode.addressWrong(error.message.slice(prefix.length));
}
