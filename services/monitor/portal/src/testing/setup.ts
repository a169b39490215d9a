import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

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
  location.hash = "";
});

afterEach(() => {
  cleanup();
});
