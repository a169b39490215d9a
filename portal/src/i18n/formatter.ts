const minuteS = 60;
const hourS = 60 * minuteS;
const dayS = 24 * hourS;

const unitNames = {
  d: "day",
  h: "hour",
  m: "minute",
  s: "second",
  ms: "millisecond",
} as const;

const unitSeconds = { d: dayS, h: hourS, m: minuteS, s: 1, ms: 0.001 } as const;

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

function partsOfLength(length: string): { amount: number; unit: keyof typeof unitNames }[] {
  return [...length.matchAll(/(\d+)(ms|[dhms])/g)].map(([, amount, unit]) => ({
    amount: Number(amount),
    unit: unit as keyof typeof unitNames,
  }));
}

/** A length of time as the configuration writes it: “1m30s” → 90. */
export function secondsOfLength(length: string): number {
  return partsOfLength(length).reduce(
    (sum, { amount, unit }) => sum + amount * unitSeconds[unit],
    0,
  );
}

/** “25 nov 2026” beside “25 nov”: some variants of Spanish write “25 de nov de 2026”. */
function withoutDe(format: Intl.DateTimeFormat, moment: Date): string {
  return format
    .formatToParts(moment)
    .map(({ type, value }) => (type === "literal" ? value.replace(" de ", " ") : value))
    .join("");
}

/** Numbers, times and durations as the user's locale writes them. One object a language. */
export class Formatter {
  readonly locale: string;
  private readonly percentFormat: Intl.NumberFormat;
  private readonly wholePercentFormat: Intl.NumberFormat;
  private readonly wholeFormat: Intl.NumberFormat;
  private readonly clockFormat: Intl.DateTimeFormat;
  private readonly shortClockFormat: Intl.DateTimeFormat;
  private readonly dayFormat: Intl.DateTimeFormat;
  private readonly monthFormat: Intl.DateTimeFormat;
  private readonly dateFormat: Intl.DateTimeFormat;
  private readonly momentFormat: Intl.DateTimeFormat;
  private readonly zoneFormat: Intl.DateTimeFormat;
  private readonly relativeFormat: Intl.RelativeTimeFormat;

  constructor(locale: string) {
    this.locale = locale;
    this.percentFormat = new Intl.NumberFormat(locale, {
      style: "percent",
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
    });
    this.wholePercentFormat = new Intl.NumberFormat(locale, {
      style: "percent",
      maximumFractionDigits: 0,
    });
    this.wholeFormat = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.clockFormat = new Intl.DateTimeFormat(locale, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    this.shortClockFormat = new Intl.DateTimeFormat(locale, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    this.dayFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
    this.monthFormat = new Intl.DateTimeFormat(locale, { month: "short", year: "numeric" });
    // Spelled out, as the days of axes and spans are: some locales' own medium style is all digits.
    const date = { day: "numeric", month: "short", year: "numeric" } as const;
    this.dateFormat = new Intl.DateTimeFormat(locale, date);
    this.momentFormat = new Intl.DateTimeFormat(locale, {
      ...date,
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    this.zoneFormat = new Intl.DateTimeFormat(locale, { timeZoneName: "shortOffset" });
    this.relativeFormat = new Intl.RelativeTimeFormat(locale, {
      numeric: "always",
      style: "narrow",
    });
  }

  /** 12.34 → “12.3%”: values run from 0 to 100. */
  percent(value: number): string {
    return this.percentFormat.format(value / 100);
  }

  /** For axes: 40 → “40%”. */
  wholePercent(value: number): string {
    return this.wholePercentFormat.format(value / 100);
  }

  whole(value: number): string {
    return this.wholeFormat.format(value);
  }

  /** hh:mm:ss in the user's time zone. */
  clock(moment: Date): string {
    return this.clockFormat.format(moment);
  }

  shortClock(moment: Date): string {
    return this.shortClockFormat.format(moment);
  }

  /** For axes: “25 nov”. */
  day(moment: Date): string {
    return this.dayFormat.format(moment);
  }

  /** For axes: “nov 2026”. */
  month(moment: Date): string {
    return withoutDe(this.monthFormat, moment);
  }

  date(moment: Date): string {
    return withoutDe(this.dateFormat, moment);
  }

  moment(moment: Date): string {
    return withoutDe(this.momentFormat, moment);
  }

  /** The short name of the user's time zone at that moment: “GMT-3”. */
  private zoneName(moment: Date): string {
    const parts = this.zoneFormat.formatToParts(moment);
    return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  }

  /** For titles: “27 nov 2026, 21:21:25 GMT-3”. */
  momentInZone(moment: Date): string {
    return `${this.moment(moment)} ${this.zoneName(moment)}`;
  }

  /** Which clock the times of a page go by: “America/Santiago (GMT-3)”. */
  zone(moment: Date = new Date()): string {
    const place = this.zoneFormat.resolvedOptions().timeZone;
    return `${place} (${this.zoneName(moment)})`;
  }

  /** The step from one moment to another (seconds since 1970): a fine one by its end alone. */
  step(from: number, to: number, now: Date = new Date()): string {
    return to - from < minuteS
      ? this.timeOrMoment(new Date(to * 1000), now)
      : this.spanOfTime(from, to, now);
  }

  /** The clock of today, the whole moment of another day. */
  timeOrMoment(moment: Date, now: Date = new Date()): string {
    return moment.toDateString() === now.toDateString() ? this.clock(moment) : this.moment(moment);
  }

  /** The day alone, with its year where that is not this year's. */
  private dayIn(moment: Date, now: Date): string {
    return moment.getFullYear() === now.getFullYear() ? this.day(moment) : this.date(moment);
  }

  /** Hours and minutes, with the day where it is not today's: “09:45”, “25 nov 09:45”. */
  shortMoment(moment: Date, now: Date = new Date()): string {
    const isToday = moment.toDateString() === now.toDateString();
    return `${isToday ? "" : `${this.dayIn(moment, now)} `}${this.shortClock(moment)}`;
  }

  /** From one moment (seconds since 1970) to another: “19:41–19:45”, with the days where they are not today's, and their years. */
  spanOfTime(from: number, to: number, now: Date = new Date()): string {
    const [first, last] = [new Date(from * 1000), new Date(to * 1000)];
    const clock = (moment: Date) =>
      to - from < 2 * minuteS ? this.clock(moment) : this.shortClock(moment);
    const isOn = (moment: Date, day: Date) => moment.toDateString() === day.toDateString();
    const start = isOn(first, now) && isOn(last, now) ? "" : `${this.dayIn(first, now)} `;
    const end = isOn(first, last) ? "" : `${this.dayIn(last, now)} `;
    return `${start}${clock(first)}–${end}${clock(last)}`;
  }

  /** A span of time in its largest whole unit: “5 min”, “2 h”, “1 d”. */
  span(seconds: number): string {
    if (seconds < minuteS) return `${this.whole(seconds)} s`;
    if (seconds < hourS) return `${this.whole(seconds / minuteS)} min`;
    if (seconds < dayS) return `${this.whole(seconds / hourS)} h`;
    return `${this.whole(seconds / dayS)} d`;
  }

  /** A length of time as the configuration writes it, in words: “1m30s” → “1 minute 30 seconds”. */
  lengthInWords(length: string): string {
    const words = partsOfLength(length).map(({ amount, unit }) =>
      new Intl.NumberFormat(this.locale, {
        style: "unit",
        unit: unitNames[unit],
        unitDisplay: "long",
      }).format(amount),
    );
    return words.join(" ");
  }

  /** Whole seconds in words, exactly: 5400 → “1 hour 30 minutes”. */
  seconds(seconds: number): string {
    const amounts = [
      [Math.floor(seconds / dayS), "d"],
      [Math.floor((seconds % dayS) / hourS), "h"],
      [Math.floor((seconds % hourS) / minuteS), "m"],
      [seconds % minuteS, "s"],
    ] as const;
    const length = amounts
      .filter(([amount]) => amount > 0)
      .map(([amount, unit]) => `${amount}${unit}`);
    return this.lengthInWords(length.join("") || "0s");
  }

  /** “512 B”, “20 MiB”, “1.5 GiB”. */
  bytes(bytes: number): string {
    const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), binaryUnits.length - 1);
    const amount = new Intl.NumberFormat(this.locale, { maximumFractionDigits: 1 });
    return `${amount.format(bytes / 1024 ** power)} ${binaryUnits[power] ?? ""}`;
  }

  /** “4 s ago”; a moment ahead of our clock counts as now. */
  ago(moment: Date, now: Date): string {
    const seconds = Math.max(0, Math.round((now.getTime() - moment.getTime()) / 1000));
    if (seconds < minuteS) return this.relativeFormat.format(-seconds, "second");
    if (seconds < hourS)
      return this.relativeFormat.format(-Math.floor(seconds / minuteS), "minute");
    if (seconds < dayS) return this.relativeFormat.format(-Math.floor(seconds / hourS), "hour");
    return this.relativeFormat.format(-Math.floor(seconds / dayS), "day");
  }
}
