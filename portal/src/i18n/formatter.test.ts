import { describe, expect, it } from "vitest";
import { Formatter, secondsOfLength } from "./formatter";

const now = new Date("2026-11-25T12:00:00Z");
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const plain = (words: string) => words.replace(/[\u00a0\u202f]/g, " ");

describe("Formatter", () => {
  it("writes percentages as the locale does", () => {
    expect(plain(new Formatter("es").percent(12.345))).toBe("12,3 %");
    expect(new Formatter("en").percent(12.345)).toBe("12.3%");
    expect(new Formatter("en").percent(0)).toBe("0.0%");
    expect(new Formatter("en").wholePercent(40)).toBe("40%");
  });

  it("writes the clock with seconds and 24 hours", () => {
    const afternoon = new Date(2026, 10, 25, 15, 4, 5);
    expect(new Formatter("en-US").clock(afternoon)).toBe("15:04:05");
    expect(new Formatter("es").clock(afternoon)).toBe("15:04:05");
    expect(new Formatter("en-US").clock(new Date(2026, 10, 25, 0, 0, 0))).toBe("00:00:00");
    for (const locale of ["en-US", "es-AR", "es"]) {
      expect(new Formatter(locale).moment(afternoon)).toContain("15:04:05");
    }
  });

  it("names the time zone of the user", () => {
    const own = process.env["TZ"];
    process.env["TZ"] = "America/Santiago";
    const format = new Formatter("es");
    expect(format.zone(now)).toBe("America/Santiago (GMT-3)");
    expect(format.momentInZone(now)).toMatch(/ 9:00:00 GMT-3$|09:00:00 GMT-3$/);
    if (own === undefined) delete process.env["TZ"];
    else process.env["TZ"] = own;
  });

  it("writes a long step from its beginning to its end, a fine one by its end", () => {
    const at = new Date(2026, 10, 25, 1, 10, 0);
    const from = at.getTime() / 1000;
    const format = new Formatter("es");
    expect(format.step(from, from + 600, at)).toBe("01:10–01:20");
    expect(format.step(from, from + 600, new Date(2026, 10, 26))).toBe("25 nov 01:10–01:20");
    expect(format.step(from, from + 15, at)).toBe("01:10:15");
  });

  it("chooses the unit that fits what has passed", () => {
    const format = new Formatter("en");
    expect(format.ago(before(0), now)).toBe("0s ago");
    expect(format.ago(before(59), now)).toBe("59s ago");
    expect(format.ago(before(60), now)).toBe("1m ago");
    expect(format.ago(before(3599), now)).toBe("59m ago");
    expect(format.ago(before(3600), now)).toBe("1h ago");
    expect(format.ago(before(86_400 * 2), now)).toBe("2d ago");
  });

  it("names a step by its largest unit", () => {
    const format = new Formatter("es");
    expect([15, 300, 7200, 172_800].map((seconds) => format.span(seconds))).toEqual([
      "15 s",
      "5 min",
      "2 h",
      "2 d",
    ]);
  });

  it("writes from when to when, with days and seconds where they are needed", () => {
    const format = new Formatter("es");
    const at = (day: number, hour: number, minute: number, second = 0) =>
      new Date(2026, 10, day, hour, minute, second).getTime() / 1000;
    const today = new Date(2026, 10, 25, 20);
    expect(format.spanOfTime(at(25, 19, 41), at(25, 19, 45), today)).toBe("19:41–19:45");
    expect(format.spanOfTime(at(25, 19, 41, 15), at(25, 19, 42), today)).toBe("19:41:15–19:42:00");
    expect(format.spanOfTime(at(24, 19, 41), at(24, 19, 45), today)).toBe("24 nov 19:41–19:45");
    expect(format.spanOfTime(at(24, 23, 30), at(25, 1, 0), today)).toBe(
      "24 nov 23:30–25 nov 01:00",
    );
  });

  it("writes the year where it is not this year's, in the same style", () => {
    const format = new Formatter("es");
    const now = new Date(2026, 10, 25, 20);
    const from = new Date(2025, 10, 24, 12, 0, 0);
    const to = new Date(2025, 10, 25, 12, 0, 0);
    expect(format.step(from.getTime() / 1000, to.getTime() / 1000, now)).toBe(
      "24 nov 2025 12:00–25 nov 2025 12:00",
    );
    expect(format.shortMoment(new Date(2026, 10, 25, 9, 45), now)).toBe("09:45");
    expect(format.shortMoment(new Date(2026, 10, 22, 9, 45), now)).toBe("22 nov 09:45");
    expect(format.shortMoment(from, now)).toBe("24 nov 2025 12:00");
    for (const locale of ["es", "es-AR", "es-CL", "es-MX"]) {
      expect(new Formatter(locale).date(from), locale).toMatch(/^24 nov\.? 2025$/);
      expect(new Formatter(locale).moment(from), locale).toMatch(/^24 nov\.? 2025, 12:00:00$/);
    }
  });

  it("writes a configured length of time in words", () => {
    expect(new Formatter("en").lengthInWords("2m")).toBe("2 minutes");
    expect(new Formatter("es").lengthInWords("1m30s")).toBe("1 minuto 30 segundos");
    expect(new Formatter("es").lengthInWords("500ms")).toBe("500 milisegundos");
    expect(["2m", "1m30s", "1d2h", "500ms"].map(secondsOfLength)).toEqual([120, 90, 93_600, 0.5]);
  });

  it("writes seconds and bytes as people read them", () => {
    const [english, spanish] = [new Formatter("en"), new Formatter("es")];
    expect([0, 59, 5400, 2_592_000].map((seconds) => english.seconds(seconds))).toEqual([
      "0 seconds",
      "59 seconds",
      "1 hour 30 minutes",
      "30 days",
    ]);
    expect(spanish.seconds(90_061)).toBe("1 día 1 hora 1 minuto 1 segundo");
    expect([0, 1023, 1024, 20_971_520, 1e12].map((bytes) => english.bytes(bytes))).toEqual([
      "0 B",
      "1,023 B",
      "1 KiB",
      "20 MiB",
      "931.3 GiB",
    ]);
    expect(spanish.bytes(1_610_612_736)).toBe("1,5 GiB");
  });

  it("takes a moment ahead of the clock for the present", () => {
    expect(new Formatter("en").ago(before(-30), now)).toBe("0s ago");
  });
});
