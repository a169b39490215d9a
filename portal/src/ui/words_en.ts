// The sentences about what pages share, in English.

export const common = {
  language: "Language",
  loading: "Loading…",
  cancel: "Cancel",
  close: "Close",
  typedIsKept: "What you typed is still here: Cancel or Close throws it away.",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "The browser did not allow copying: select the text and copy it by hand.",
  never: "never",
  unknown: "unknown",
};

/** What the standard rules are called; those of the monitor's that are told to customers. */
export const ruleNames = {
  CustomerNodeDown: "Node down",
  CollectorDown: "Collector down",
  AgentBufferSaturated: "Agent's buffer almost full",
  AgentCollectorUnreachable: "Agent cannot reach the collector",
  HighCPUUsage: "High CPU",
  HighMemoryUsage: "High memory",
};

export const connection = {
  updated: (time: string) => `Updated ${time}`,
  waiting: "Waiting for the first data",
  refused: "No data just now",
  lost: "No connection to the server",
  lostDetail: (time: string) => `What you see is from ${time}. Trying again every few seconds.`,
  lostNoData: "Nothing could be read yet. Trying again every few seconds.",
};

export const status = {
  up: "Up",
  down: "Down",
  unknown: "No data",
  degraded: "Degraded",
  waiting: "Waiting",
};

export const reach = {
  push: "Push",
  scrape: "Scrape",
  pushHint: "The agent sends its health; nobody needs to reach the node",
  scrapeHint: "The provider asks the node for its health",
};

export const problem = {
  title: "This could not be shown",
  forbidden: "You may not see this.",
  generic: (message: string) => `The server says: ${message}`,
  notFound: "There is no such page",
  notFoundHint: "The address may be old.",
  toOverview: "Go to nodes",
  failed: "This page has failed",
  failedHint: "The fault is the portal's own. Your nodes and their data are not touched by it.",
  reload: "Reload",
};
