import { useEffect, useState, type RefObject } from "react";

/** So near the screen counts as on it: what comes next is drawn before it is scrolled to. */
const margin = "200px";

type Listener = (isInView: boolean) => void;
const listeners = new WeakMap<Element, Listener>();
let observer: IntersectionObserver | undefined;

/** One observer for all: thousands of rows ask. */
function shared(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) listeners.get(entry.target)?.(entry.isIntersecting);
    },
    { rootMargin: margin },
  );
  return observer;
}

/** True while the element is on the screen or near it, so that thousands of rows do not all draw and ask. */
export function useInView(element: RefObject<Element | null>): boolean {
  const [isInView, setIsInView] = useState(false);
  useEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    listeners.set(watched, setIsInView);
    shared().observe(watched);
    return () => {
      shared().unobserve(watched);
      listeners.delete(watched);
    };
  }, [element]);
  return isInView;
}
