import type { Overview } from "../api/queries";
import type { Dictionary } from "../i18n/language";

/** Active alerts of all customers and the provider's own; null where they are not known. */
export function firingIn(overview: Overview | undefined): number | null {
  if (overview === undefined || overview.provider_alerts_firing === null) return null;
  let sum = overview.provider_alerts_firing;
  for (const { alerts_firing } of overview.customers) {
    if (alerts_firing === null) return null;
    sum += alerts_firing;
  }
  return sum;
}

/** The worst that is known; green only where all is known and all is well. */
function stateOf(overview: Overview, isLost: boolean, text: Dictionary): string {
  const words = text.documentTitle;
  if (isLost) return words.lost;
  const enabled = overview.customers.filter(({ is_enabled }) => is_enabled);
  const down = enabled.reduce((sum, customer) => sum + customer.nodes_down, 0);
  if (down > 0) return words.down(down);
  const firing = firingIn(overview);
  if (firing !== null && firing > 0) return words.alerts(firing);
  if (overview.away.length > 0 || overview.warnings.length > 0 || firing === null) {
    return words.service;
  }
  const unknown = enabled.reduce((sum, customer) => sum + customer.nodes_unknown, 0);
  if (unknown > 0) return words.unknown(unknown);
  return enabled.some(({ nodes_up }) => nodes_up > 0) ? words.up : "";
}

/** What the tab is called: the state's sign, the page, the state in words. */
export function titleOf(
  overview: Overview | undefined,
  isLost: boolean,
  page: string,
  text: Dictionary,
): string {
  const state = overview === undefined ? "" : stateOf(overview, isLost, text);
  const [sign = "", ...words] = state.split(" ");
  const named = [sign, page].filter(Boolean).join(" ");
  return [named, words.join(" "), "Vigía"].filter(Boolean).join(" · ");
}
