import { useLocation, useSearch } from "wouter";
import { ranges, type Range } from "./queries";

const usualRange: Range = "15m";

/** The range of time that the address asks for: it can be linked to, and is there again after a reload. */
export function useAskedRange(): [Range, (range: Range) => void] {
  const asked = new URLSearchParams(useSearch()).get("range");
  const [, navigate] = useLocation();
  const ask = (range: Range) => {
    const query = range === usualRange ? "" : `?range=${range}`;
    // Looking at another range is no step that one would want to go back by.
    navigate(`${location.pathname}${query}`, { replace: true });
  };
  return [ranges.find((range) => range === asked) ?? usualRange, ask];
}
