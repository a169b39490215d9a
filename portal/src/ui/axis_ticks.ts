/** Where a time axis has its marks: round local times, each day at its first instant. */

const minuteS = 60;
const hourS = 60 * minuteS;
const dayS = 24 * hourS;
/** Every offset from UTC that is in use is a multiple of a quarter of an hour. */
const quarterS = 15 * minuteS;

const secondSteps = [15, 30, minuteS, 2 * minuteS, 5 * minuteS, 10 * minuteS, 15 * minuteS];
const hourSteps = [0.5, 1, 2, 3, 4, 6, 12];
const daySteps = [1, 2, 3, 5, 7, 10, 14];
const monthSteps = [1, 2, 3, 4, 6, 12];
const daysOfMonth = 30.5;

/** Real seconds apart: within an hour the offset from UTC plays no part. */
function everySeconds(from: number, to: number, step: number): number[] {
  const ticks = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

/** Wherever the local clock shows a multiple of `step` hours; twice where the clock is set back over it. */
function everyHours(from: number, to: number, step: number): number[] {
  return everySeconds(from, to, quarterS).filter((tick) => {
    const moment = new Date(tick * 1000);
    const minutes = moment.getHours() * 60 + moment.getMinutes();
    return minutes % (step * 60) === 0;
  });
}

/**
 * The first instant of a local day. Where the clock is set forward at midnight (Chile, Egypt) there is no midnight:
 * the day begins at 01:00, which is what Date makes of it.
 */
function firstInstant(year: number, month: number, day: number): number {
  return new Date(year, month, day).getTime() / 1000;
}

function everyDays(from: number, to: number, step: number): number[] {
  const start = new Date(from * 1000);
  const ticks = [];
  // Counted from a fixed day, so that the marks stay where they are while the time goes on.
  const first = Math.floor(Date.UTC(start.getFullYear(), start.getMonth(), start.getDate()) / 1000);
  const offset = Math.round(first / dayS) % step;
  for (let day = -offset; ; day += step) {
    const tick = firstInstant(start.getFullYear(), start.getMonth(), start.getDate() + day);
    if (tick > to) return ticks;
    if (tick >= from) ticks.push(tick);
  }
}

function everyMonths(from: number, to: number, step: number): number[] {
  const start = new Date(from * 1000);
  const ticks = [];
  for (let month = Math.floor(start.getMonth() / step) * step; ; month += step) {
    const tick = firstInstant(start.getFullYear(), month, 1);
    if (tick > to) return ticks;
    if (tick >= from) ticks.push(tick);
  }
}

export type TickUnit = "second" | "minute" | "day" | "month";

export interface Ticks {
  /** How finely a mark has to be written. */
  unit: TickUnit;
  times: number[];
}

/** At most `most` marks between two moments (seconds since 1970). */
export function axisTicks(from: number, to: number, most: number): Ticks {
  const span = to - from;
  const apart = span / Math.max(1, most);
  const second = secondSteps.find((step) => step >= apart);
  if (second !== undefined) {
    const unit = second < minuteS ? "second" : "minute";
    return { unit, times: everySeconds(from, to, second) };
  }
  const hour = hourSteps.find((step) => step * hourS >= apart);
  if (hour !== undefined) return { unit: "minute", times: everyHours(from, to, hour) };
  const day = daySteps.find((step) => step * dayS >= apart);
  if (day !== undefined) return { unit: "day", times: everyDays(from, to, day) };
  const month = monthSteps.find((step) => step * daysOfMonth * dayS >= apart) ?? 12;
  return { unit: "month", times: everyMonths(from, to, month) };
}
