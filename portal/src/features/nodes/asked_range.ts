import { useLocation, useSearch } from "wouter";
import { useSystem } from "../../live/queries";
import { keptRanges, ranges, type Range } from "./queries";

const usualRange: Range = "15m";

/**
 * The range of time that the address asks for: it can be linked to, and is there again after a reload. Of those that are
 * kept the longest stands for one that is longer.
 */
export function useAskedRange() {
  const kept = keptRanges(useSystem().data?.kept_days);
  const asked = new URLSearchParams(useSearch()).get("range");
  const [, navigate] = useLocation();
  const ask = (range: Range) => {
    const query = range === usualRange ? "" : `?range=${range}`;
    // Looking at another range is no step that one would want to go back by.
    navigate(`${location.pathname}${query}`, { replace: true });
  };
  const isLonger = ranges.some((range) => range === asked);
  const range = kept.find((one) => one === asked) ?? (isLonger ? kept.at(-1) : undefined);
  return { range: range ?? usualRange, kept, ask };
}
