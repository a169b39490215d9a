// The sentences about log-in, passwords and sessions, in English.

export const login = {
  title: "Log in",
  lead: "See at a glance whether your nodes are well.",
  user: "User",
  password: "Password",
  submit: "Log in",
  busy: "Checking…",
  wrong: "Wrong user or password.",
  throttled: "Too many attempts. Wait a moment and try again.",
  unreachable: "The server did not answer. Check the connection and try again.",
  ended: "Your session has ended. Please log in again.",
};

export const password = {
  title: "Change password",
  lead: "Wherever else you are logged in, that session ends.",
  current: "Current password",
  next: "New password",
  hint: (length: number) => `At least ${String(length)} characters`,
  submit: "Change it",
  wrong: "The current password is not right.",
  done: "The password is changed.",
};

export const sessions = {
  title: "Sessions",
  lead: "Where you are logged in. If one is not yours, end it and change your password.",
  current: "this one",
  opened: (moment: string) => `logged in on ${moment}`,
  lastUsed: "last used",
  end: "End",
  endLabel: (address: string, opened: string) => `End the session from ${address}, ${opened}`,
  unknownBrowser: "Unknown program",
  on: (browser: string, system: string) => `${browser} on ${system}`,
  empty: "No session",
  emptyHint: "Log in to see it here.",
};
