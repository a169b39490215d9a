/** In this order: every browser also names those that it wants to pass for. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/Edg(e|A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/(Firefox|FxiOS)\//, "Firefox"],
  [/(Chrome|CriOS)\//, "Chrome"],
  [/Version\/.* Safari\//, "Safari"],
  [/^curl\//, "curl"],
  [/^Python-urllib\/|^python-requests\//, "Python"],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux|X11/, "Linux"],
];

const find = (list: readonly (readonly [RegExp, string])[], agent: string) =>
  list.find(([pattern]) => pattern.test(agent))?.[1] ?? null;

/** What a person calls the program that sent this User-Agent; null for what is not known. */
export function browserOf(userAgent: string): { browser: string | null; system: string | null } {
  return { browser: find(browsers, userAgent), system: find(systems, userAgent) };
}
