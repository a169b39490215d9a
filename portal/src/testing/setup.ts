import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

// A machine that builds meanwhile is slow: wait long, fail only when something really does not come.
configure({ asyncUtilTimeout: 10_000 });

// What browsers have and jsdom has not. Nothing ever scrolls into view, so that no canvas is asked for: curves are
// looked at by tests/browser, in a real browser.
class NothingInView implements Pick<IntersectionObserver, "observe" | "unobserve"> {
  observe() {
    return undefined;
  }
  unobserve() {
    return undefined;
  }
}

vi.stubGlobal("IntersectionObserver", NothingInView);
vi.stubGlobal("scrollTo", () => undefined);
vi.stubGlobal("matchMedia", () => ({
  matches: false,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
}));

beforeEach(() => {
  localStorage.clear();
  history.replaceState(null, "", "/");
});

afterEach(() => {
  cleanup();
});
