import { useSyncExternalStore } from "react";
import { useLanguage } from "../i18n/language";

const tickMs = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let currentMs = Date.now();

/** One timer for all that counts on the page. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    currentMs = Date.now();
    timer = setInterval(() => {
      currentMs = Date.now();
      listeners.forEach((notify) => {
        notify();
      });
    }, tickMs);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

/** “4 s ago”, which goes on counting between two answers of the server. */
export function Ago({ moment, clockOffsetMs }: { moment: Date; clockOffsetMs: number }) {
  const { format } = useLanguage();
  const nowMs = useSyncExternalStore(subscribe, () => currentMs);
  return <>{format.ago(moment, new Date(nowMs + clockOffsetMs))}</>;
}
