import type { Overview } from "../api/types";
import type { Dictionary } from "../i18n/language";
import type { Severity } from "../live/severity";
import { countsOf, firingIn, watchedNodes } from "../live/standing";

const signs: Record<Severity, string> = { critical: "🔴", warning: "🟠", info: "🔵" };

/** The worst that is known; green only where all is known and all is well. */
function stateOf(overview: Overview, isLost: boolean, worst: Severity, text: Dictionary): string {
  const words = text.documentTitle;
  if (isLost) return words.lost;
  const counts = countsOf(watchedNodes(overview));
  if (counts.down > 0) return words.down(counts.down);
  const firing = firingIn(overview);
  if (firing !== null && firing > 0) return words.alerts(signs[worst], firing);
  if (overview.away.length > 0 || overview.warnings.length > 0 || firing === null) {
    return words.service;
  }
  if (counts.degraded > 0) return words.degraded(counts.degraded);
  if (counts.unknown > 0) return words.unknown(counts.unknown);
  if (counts.waiting > 0) return words.waiting(counts.waiting);
  return counts.up > 0 ? words.up : "";
}

/** What the tab is called: the state's sign, the page, the state in words. An alert not seen yet counts as critical. */
export function titleOf(
  overview: Overview | undefined,
  isLost: boolean,
  worst: Severity | null,
  page: string,
  text: Dictionary,
): string {
  const state = overview === undefined ? "" : stateOf(overview, isLost, worst ?? "critical", text);
  const [sign = "", ...words] = state.split(" ");
  const named = [sign, page].filter(Boolean).join(" ");
  return [named, words.join(" "), "Vigía"].filter(Boolean).join(" · ");
}
