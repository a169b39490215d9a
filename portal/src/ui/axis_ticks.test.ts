import { afterEach, describe, expect, it } from "vitest";
import { Formatter } from "../i18n/formatter";
import { axisTicks } from "./axis_ticks";
import { tickLabel } from "./tick_label";

const dayS = 86_400;
const ranges = {
  "15m": 900,
  "1h": 3600,
  "6h": 6 * 3600,
  "24h": dayS,
  "7d": 7 * dayS,
  "30d": 30 * dayS,
  "1y": 365 * dayS,
  "2y": 730 * dayS,
};

/** Field case D20: the days on which the clock changes, forward and back. */
const changes: [zone: string, moment: string][] = [
  ["Europe/Madrid", "2026-10-25T12:00:00Z"],
  ["Europe/Madrid", "2026-03-29T12:00:00Z"],
  ["America/Santiago", "2026-09-06T12:00:00Z"],
  ["America/Santiago", "2026-04-05T12:00:00Z"],
  ["Africa/Cairo", "2026-04-24T12:00:00Z"],
  ["Africa/Cairo", "2026-10-29T23:00:00Z"],
  ["Asia/Kolkata", "2026-10-25T12:00:00Z"],
  ["Australia/Lord_Howe", "2026-10-04T12:00:00Z"],
  ["Australia/Lord_Howe", "2026-04-05T12:00:00Z"],
  ["America/St_Johns", "2026-11-01T12:00:00Z"],
  ["America/St_Johns", "2026-03-08T12:00:00Z"],
];

const ownZone = process.env["TZ"];
afterEach(() => {
  if (ownZone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = ownZone;
});

describe.each(changes)("axisTicks in %s around %s", (zone, moment) => {
  // Made once: making one takes far longer than a date in it.
  const clockFormat = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const dayFormat = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" });
  const clock = (tick: number) => clockFormat.format(tick * 1000);
  const day = (tick: number) => dayFormat.format(tick * 1000);

  it.each(Object.entries(ranges))("marks round local times over %s", (_range, span) => {
    process.env["TZ"] = zone;
    const format = new Formatter("es");
    // The change lies at the beginning, in the middle and at the end of the axis.
    for (const share of [0.1, 0.5, 0.9]) {
      const from = Math.floor(Date.parse(moment) / 1000 - span * share);
      const { unit, times } = axisTicks(from, from + span, 8);
      expect(times.length).toBeGreaterThanOrEqual(2);
      expect(times.length).toBeLessThanOrEqual(9 + (unit === "minute" ? 1 : 0));
      expect([...times].sort((a, b) => a - b)).toEqual(times);
      const labels = times.map((tick) => tickLabel(tick, unit, format));
      if (unit === "day" || unit === "month") {
        expect(new Set(labels).size).toBe(labels.length);
        // The second before belongs to the day before: the mark stands at the first instant of its day.
        for (const tick of times) expect(day(tick - 1)).not.toBe(day(tick));
      } else {
        const named = times.map((tick) =>
          day(tick - 1) === day(tick) ? clock(tick) : format.day(new Date(tick * 1000)),
        );
        const short = labels.map((label) => label.replace(/^(\d\d:\d\d):00$/, "$1"));
        expect(short.map((label, at) => label.startsWith(named[at] ?? "-"))).not.toContain(false);
      }
    }
  });
});

describe("axisTicks", () => {
  it("names every day of a week in which the clock changes at midnight, once", () => {
    process.env["TZ"] = "America/Santiago";
    const to = Date.parse("2026-09-08T16:00:00Z") / 1000;
    const { unit, times } = axisTicks(to - 7 * dayS, to, 8);
    expect(times.map((tick) => tickLabel(tick, unit, new Formatter("es")))).toEqual([
      "2 sept",
      "3 sept",
      "4 sept",
      "5 sept",
      "6 sept",
      "7 sept",
      "8 sept",
    ]);
    expect(new Date((times[4] ?? 0) * 1000).getHours()).toBe(1);
  });

  it("names the day where one begins between hours", () => {
    process.env["TZ"] = "America/Argentina/Buenos_Aires";
    const to = Date.parse("2026-11-28T00:00:00Z") / 1000;
    const { unit, times } = axisTicks(to - dayS, to, 8);
    const labels = times.map((tick) => tickLabel(tick, unit, new Formatter("es")));
    expect(labels.slice(0, 4)).toEqual(["21:00", "27 nov", "03:00", "06:00"]);
  });

  it("leaves out what there is no room for", () => {
    process.env["TZ"] = "UTC";
    expect(axisTicks(0, 7 * dayS, 4).times).toHaveLength(4);
    expect(axisTicks(0, 900, 3).times).toEqual([0, 300, 600, 900]);
  });
});
