import type { Formatter } from "../i18n/formatter";
import type { TickUnit } from "./axis_ticks";

/** How a moment is written below a curve. */
export function tickLabel(second: number, unit: TickUnit, format: Formatter): string {
  const moment = new Date(second * 1000);
  if (unit === "month") return format.month(moment);
  if (unit === "day") return format.day(moment);
  return unit === "minute" ? format.shortClock(moment) : format.clock(moment);
}
