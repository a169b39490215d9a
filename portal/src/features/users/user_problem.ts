import { ApiError } from "../../api/client";
import type { Dictionary } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";

/** The words for a refused user: what to do, not what the server calls it. */
export function userProblem(error: Error | null, text: Dictionary): string | undefined {
  if (error instanceof ApiError && error.code === "conflict") return text.users.exists;
  if (error instanceof ApiError && error.code === "invalid") {
    if (error.message.startsWith("password:")) return text.users.weak;
    if (error.message.startsWith("is_enabled:")) return text.users.last;
  }
  return problemText(error, text);
}
