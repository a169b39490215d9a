/** The newest step or two may not have arrived yet. */
const recentSteps = 3;

export interface Summary {
  minimum: number;
  average: number;
  maximum: number;
  /** Null where the curve has ended: an old value must not pass for the present one. */
  latest: number | null;
}

/** Of the values that are there; null where there is none. */
export function summaryOf(values: readonly (number | null)[]): Summary | null {
  const known = values.filter((value) => value !== null);
  const first = known[0];
  if (first === undefined) return null;
  let minimum = first;
  let maximum = first;
  let sum = 0;
  for (const value of known) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
    sum += value;
  }
  const latest = values.slice(-recentSteps).findLast((value) => value !== null) ?? null;
  return { minimum, average: sum / known.length, maximum, latest };
}
