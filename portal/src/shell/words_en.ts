import { count } from "../i18n/count";

// The sentences about the frame round every page, in English.

export const navigation = {
  skip: "Skip to content",
  label: "Main",
  overview: "Nodes",
  alerts: "Alerts",
  tokens: "Tokens",
  customers: "Customers",
  channels: "Notifications",
  team: "Team",
  audit: "Audit log",
  sessions: "Sessions",
  logOut: "Log out",
  changePassword: "Change password",
  account: "Account",
  operator: "Provider",
};

/** The tab's title: a sign, then words. */
export const documentTitle = {
  down: (n: number) => `🔴 ${String(n)} down`,
  alerts: (sign: string, n: number) => `${sign} ${count(n, "alert", "alerts")}`,
  service: "🟠 the service is not well",
  degraded: (n: number) => `🟠 ${String(n)} degraded`,
  unknown: (n: number) => `⚪ ${String(n)} without data`,
  waiting: (n: number) => `⚪ ${String(n)} waiting`,
  lost: "⚪ no connection",
  up: "🟢 all up",
};
