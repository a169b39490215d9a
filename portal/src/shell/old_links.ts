/**
 * Where an address of before leads now, or null for one that is as it should be. Pages once stood after a # (such links are kept in mails, and
 * Alertmanager still writes its own so: /#/alerts?receiver=…), and Prometheus writes /graph?… for the source of an alert.
 */
export function newPlaceOf({ pathname, hash }: Pick<Location, "pathname" | "hash">): string | null {
  // However many slashes follow: two would name another host.
  if (hash.startsWith("#/")) return hash.replace(/^#[/\\]+/, "/");
  return pathname === "/graph" ? "/alerts" : null;
}

/** Puts the new address in the place of an old one, now and when one is entered later; so the way back does not pass it again. */
export function forwardOldLinks() {
  const forward = () => {
    const place = newPlaceOf(location);
    if (place !== null) history.replaceState(null, "", place);
  };
  forward();
  addEventListener("hashchange", forward);
}
