import { ApiError } from "../../api/client";
import type { Dictionary } from "../../i18n/language";
import { reasonText } from "../../i18n/reason_text";

/** The words for an address that the server refuses; undefined where something else is wrong. */
export function addressProblem(error: Error | null, text: Dictionary): string | undefined {
  if (!(error instanceof ApiError) || !error.message.startsWith("address: ")) return undefined;
  return text.addNode.addressWrong(reasonText(error.message, text));
}
