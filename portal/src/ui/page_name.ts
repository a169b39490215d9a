import { useEffect, useSyncExternalStore } from "react";

let current = "";
const listeners = new Set<() => void>();

function set(name: string) {
  current = name;
  listeners.forEach((notify) => {
    notify();
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Names the page that is shown, for the title of the tab: ten tabs have ten titles (WCAG 2.4.2). */
export function useNamedPage(name: string) {
  useEffect(() => {
    set(name);
    return () => {
      set("");
    };
  }, [name]);
}

/** The name of the page that is shown; "" where it has none. */
export function usePageName(): string {
  return useSyncExternalStore(subscribe, () => current);
}
