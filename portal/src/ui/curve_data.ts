/** What a curve is drawn from: average, smallest and largest value of each step, and when its node was down. */
export interface CurveData {
  times: number[];
  average: (number | null)[];
  minimum: (number | null)[];
  maximum: (number | null)[];
  /** Which part of each step the node was down; null where nobody knows. */
  downShare: (number | null)[];
  /** Which part of each step is missing because Vigía itself was away. */
  outageShare: number[];
  stepSeconds: number;
}

/** A time without values: the node was down, Vigía itself was away, or nobody knows why. */
export interface Span {
  kind: "down" | "outage" | "unknown";
  from: number;
  to: number;
  /** Of it really down, which is less than its length where steps are long. */
  downSeconds: number;
}

const fineStepS = 60;

/** A null joins its neighbours (as undefined, for uPlot) where it is no hole: samples further apart than the steps. */
export function joined(
  values: (number | null)[],
  downShare: (number | null)[],
  outageShare: number[],
): (number | null | undefined)[] {
  const isHole = (at: number) => downShare[at] !== 0 || (outageShare[at] ?? 0) > 0;
  return values.map((value, at) => (value === null && !isHole(at) ? undefined : value));
}

/** So long at most it takes until an absence of ours is recorded: a scrape, a look, and the silence before it. */
const noticedS = 60;

/** From which step of the end without values on nobody could know: our absence is recorded, or too new to be. */
function startOfBlindness({ times, average, outageShare }: CurveData): number {
  let hole = average.length;
  while (hole > 0 && average[hole - 1] === null) hole -= 1;
  const outage = outageShare.findIndex((share, at) => at >= hole && share > 0);
  if (outage !== -1) return outage;
  const noticed = (times.at(-1) ?? 0) - noticedS;
  return times.findIndex((time, at) => at >= hole && time > noticed);
}

/**
 * What the server calls down at the end of the curve is not known where the node's state is not: its collector may be
 * away, and what the node keeps meanwhile comes later. What was known before that stays.
 */
export function withUnknownEnd(data: CurveData, isKnown: boolean): CurveData {
  const start = isKnown ? -1 : startOfBlindness(data);
  if (start === -1) return data;
  const downShare = data.downShare.map((share, at) => (at >= start ? null : share));
  return { ...data, downShare };
}

/** A step that is down for less than this has something else in it. */
const wholeShare = 0.9;

/** True where it is known of every step that the node was down. */
export function isDownThroughout({ downShare }: CurveData): boolean {
  return downShare.length > 0 && downShare.every((share) => (share ?? 0) >= wholeShare);
}

/** A kind's spans, from what part of each step is of it; 0 for none. A step without values is of it whole. */
function spansOfKind(kind: Span["kind"], data: CurveData, shares: readonly number[]): Span[] {
  const { times, average, stepSeconds } = data;
  const spans: Span[] = [];
  let open: Span | null = null;
  times.forEach((time, at) => {
    const share = shares[at] ?? 0;
    if (share === 0) {
      open = null;
      return;
    }
    const start = at > 0 ? (times[at - 1] ?? time) : time;
    // In fine steps the values are missing until the next sample, which is in the next step; unless that has a reason
    // of its own to be missing.
    const next = times[at + 1];
    const isFollowed = next !== undefined && (average[at + 1] != null || (shares[at + 1] ?? 0) > 0);
    const reach = stepSeconds < fineStepS && average[at] === null && isFollowed ? next : time;
    if (open === null) {
      open = { kind, from: start, to: reach, downSeconds: 0 };
      spans.push(open);
    }
    open.to = reach;
    if (kind === "down") open.downSeconds += share * (time - start);
  });
  return spans.map((span) =>
    kind === "down" && stepSeconds < fineStepS
      ? { ...span, downSeconds: span.to - span.from }
      : span,
  );
}

/** Ascending. A long step may be of two kinds: its node was down for a part, and Vigía away for another. */
export function spansOf(data: CurveData): Span[] {
  const { average, downShare, outageShare } = data;
  const first = average.findIndex((value) => value !== null);
  // Before its first sample there is nothing to be known of a node that is new.
  const unknown = downShare.map((share, at) =>
    share === null && outageShare[at] === 0 && average[at] === null && first !== -1 && at > first
      ? 1
      : 0,
  );
  const down = downShare.map((share) => share ?? 0);
  return [
    ...spansOfKind("down", data, down),
    ...spansOfKind("outage", data, outageShare),
    ...spansOfKind("unknown", data, unknown),
  ].sort((one, other) => one.from - other.from);
}

/** Values without a neighbour: no line leads to them, so they are drawn as points. */
export function lonePoints(values: ArrayLike<number | null | undefined>): number[] {
  const lone: number[] = [];
  const isAlone = (at: number, step: -1 | 1) => {
    let next = at + step;
    while (next >= 0 && next < values.length && values[next] === undefined) next += step;
    return values[next] == null;
  };
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] != null && isAlone(at, -1) && isAlone(at, 1)) lone.push(at);
  }
  return lone;
}

export interface Step {
  from: number;
  to: number;
}

/** What the values at `at` are of: the time since the one before, which may be longer ago than a step. */
export function stepAt(times: ArrayLike<number>, at: number, stepSeconds: number): Step {
  const to = times[at] ?? 0;
  return { from: Math.max(times[at - 1] ?? 0, to - stepSeconds), to };
}

/** The step with the largest value, the newest of several; null where there is no value. */
export function highestStep(data: CurveData): Step | null {
  let highest = -1;
  data.maximum.forEach((value, at) => {
    if (value !== null && value >= (data.maximum[highest] ?? -Infinity)) highest = at;
  });
  return highest === -1 ? null : stepAt(data.times, highest, data.stepSeconds);
}

/** The newest value that there is, with its time. */
export function lastOf(data: CurveData): { time: number; value: number } | null {
  for (let at = data.times.length - 1; at >= 0; at -= 1) {
    const value = data.average[at];
    const time = data.times[at];
    if (value != null && time !== undefined) return { time, value };
  }
  return null;
}
