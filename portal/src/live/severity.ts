export type Severity = "critical" | "warning" | "info";

/** Rules may carry any word as severity; what is not one of ours is shown as information. */
export function severityOf(word: string): Severity {
  return word === "critical" || word === "warning" ? word : "info";
}
