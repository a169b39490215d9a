import { useSyncExternalStore } from "react";

const query = "(prefers-color-scheme: dark)";

function subscribe(changed: () => void): () => void {
  const media = matchMedia(query);
  media.addEventListener("change", changed);
  return () => {
    media.removeEventListener("change", changed);
  };
}

/** What the system asks for; a canvas does not follow it by itself. */
export function useColorScheme(): "dark" | "light" {
  return useSyncExternalStore(subscribe, () => (matchMedia(query).matches ? "dark" : "light"));
}
