import { ApiError } from "../api/client";
import type { Dictionary } from "./language";

/** The words for a request that failed; undefined while none did. */
export function problemText(error: Error | null, text: Dictionary): string | undefined {
  if (error === null) return undefined;
  if (!(error instanceof ApiError) || error.code === "unreachable") return text.login.unreachable;
  if (error.code === "forbidden") return text.problem.forbidden;
  if (error.code === "unauthenticated") return text.login.ended;
  return text.problem.generic(error.message);
}
