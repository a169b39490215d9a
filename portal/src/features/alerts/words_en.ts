import { count } from "../../i18n/count";

// The sentences about alerts, in English.

export const alerts = {
  title: "Alerts",
  active: (n: number) => count(n, "active alert", "active alerts"),
  calm: "Nothing needs attention",
  noneActive: "No active alert",
  notKnown: "It is not known whether there are alerts",
  silencedCount: (n: number) => `${String(n)} silenced`,
  inhibitedCount: (n: number) => `${String(n)} explained by another alert`,
  nodesDown: (n: number) => count(n, "node down", "nodes down"),
  nodesDownUntold: (n: number, after: string) =>
    `${count(n, "node down", "nodes down")}, alert after ${after}`,
  nodesDownNoAlert: (n: number) => `${count(n, "node down", "nodes down")}, no alert yet`,
  nodesDegraded: (n: number) => count(n, "node degraded", "nodes degraded"),
  nodesUnknown: (n: number) => count(n, "node without data", "nodes without data"),
  critical: "Critical",
  warning: "Warning",
  info: "Info",
  silenced: "silenced",
  inhibited: "explained by another alert",
  since: "since",
  empty: "No active alert",
  leftOut: (n: string, isAtLeast: boolean) =>
    isAtLeast
      ? `And more than ${n} more, which are not listed.`
      : `And ${n} more, which are not listed.`,
  someLeftOut: "And more, which are not listed.",
  notKnownOf: "It is not known whether it has alerts.",
  notKnownHint: "What is missing stands above. As soon as it is back, alerts are shown here.",
  emptyHint: (nodeDownFor: string) =>
    `When a rule fires, for example when a node has been down for ${nodeDownFor}, it is shown here.`,
  emptyHintShort: "When a rule fires, for example because a node is down, it is shown here.",
};
