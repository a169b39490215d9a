import type { Formatter } from "../i18n/formatter";
import type { TickUnit } from "./axis_ticks";

function beginsDay(moment: Date): boolean {
  const [year, month, day] = [moment.getFullYear(), moment.getMonth(), moment.getDate()];
  return new Date(year, month, day).getTime() === moment.getTime();
}

/** How a moment is written below a curve; where a day begins, its name. */
export function tickLabel(second: number, unit: TickUnit, format: Formatter): string {
  const moment = new Date(second * 1000);
  if (unit === "month") return format.month(moment);
  if (unit === "day" || beginsDay(moment)) return format.day(moment);
  return unit === "minute" ? format.shortClock(moment) : format.clock(moment);
}
