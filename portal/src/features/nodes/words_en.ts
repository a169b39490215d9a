// The sentences about nodes: their forms, one node's page and its curves, in English.

export const sparklines = {
  sparkline: (what: string, from: string, to: string, last: string) =>
    `${what}, last 15 minutes: between ${from} and ${to}, now ${last}`,
  sparklineEmpty: (what: string) => `${what}: no data in the last 15 minutes`,
};

export const addNode = {
  title: "Add a node",
  add: "Add a node",
  customer: "Customer",
  id: "Node",
  idHint: "As it is called in graphs and alerts, e.g. prod-web-02. It cannot be changed later.",
  idWrong: "Use letters, digits, single hyphens and dots; begin and end with a letter or digit.",
  exists: "This customer already has a node with this name: choose another one.",
  region: "Region",
  environment: "Environment",
  reach: "Collection",
  push: "Push",
  pushHint: "The agent sends its health; works behind any firewall",
  scrape: "Scrape",
  scrapeHint: "The provider's monitor asks for it and must reach the node",
  address: "Address of its /health",
  addressHint: "Host and port, e.g. 10.0.0.7:8080; https:// before them if its /health has TLS",
  addressWrong: (message: string) =>
    `This address cannot be used (${message}). Write host:port as the provider's monitor reaches it.`,
  submit: "Continue",
  busy: "Preparing…",
  readyTitle: "Start the agent on the node",
  readyLead: (node: string) =>
    `Paste these lines on ${node}. They hold a new token, which cannot be shown again.`,
  lines: "Lines for the node",
  needs: "The program vigia-agent has to be installed there; docs/deployment.md tells how.",
  loopback: (address: string) =>
    `The collector listens on its own machine only (${address}). From another machine, bring it there with ssh -R or give it a public address.`,
  applications: "Applications on this node need no token and no customer: they send to its agent.",
  applicationLines: "For an application on this node (most SDKs do so by themselves)",
  appears: "The node turns green by itself, half a minute after the agent has started.",
  appearsLater: "The node appears by itself once its agent has sent for the first time.",
  done: "Done",
};

export const changeNode = {
  open: "Edit",
  title: "Edit node",
  submit: "Save",
  busy: "Saving…",
  retire: "Retire",
  retireLabel: (node: string) => `Retire the node ${node}`,
  retireTitle: "Retire this node?",
  retireText: (node: string) =>
    `${node} is no longer watched and raises no alert. Its data stays. Stop its agent first: while it sends, the node comes back after a minute.`,
  retiring: "Retiring…",
};

export const node = {
  back: "All nodes",
  customer: "Customer",
  region: "Region",
  environment: "Environment",
  reach: "Collection",
  lastSeen: "Last seen",
  downSince: "Down since",
  buffer: "Buffer used",
  collector: "Collector",
  collectorReachable: "reachable",
  collectorUnreachable: "not reachable",
  range: "Range",
  ranges: {
    "15m": "15 min",
    "1h": "1 h",
    "6h": "6 h",
    "24h": "24 h",
    "7d": "7 d",
    "30d": "30 d",
    "1y": "1 y",
    "2y": "2 y",
  },
  cpu: "CPU",
  memory: "Memory",
  minimum: "min",
  average: "avg",
  maximum: "max",
  noData: "No data in this range",
  noDataHint: "If the node is new, wait for one interval (15 s); otherwise look at its agent.",
  noDataDown: "The node was down all the time: choose a longer range to see what it sent before.",
  noDataOutage:
    "Vigía itself was away in this range. What the node's agent keeps meanwhile comes afterwards.",
  noDataPartlyDown: "When the node is known to have been down stands below.",
  maximumAt: (value: string, when: string) => `${value} (${when})`,
  zone: (zone: string) => `Times in ${zone}`,
  table: "Values as a table",
  tableOf: (what: string) => `${what}: values`,
  columns: { when: "When", average: "Average", minimum: "Minimum", maximum: "Maximum" },
  lastValue: (value: string, time: string) => `last ${value} (${time})`,
  spans: {
    down: (when: string) => `down ${when}`,
    outage: (when: string) => `no data: Vigía was away ${when}`,
    unknown: (when: string) => `no data ${when}`,
  },
  downWithin: (length: string, when: string) => `down for ${length} within ${when}`,
  downOften: (times: number, length: string) => `down ${String(times)} times, ${length} in all`,
  outageOften: (times: number, length: string) =>
    `no data: Vigía was away ${String(times)} times, ${length} in all`,
  unknownOften: (times: number, length: string) =>
    `no data ${String(times)} times, ${length} in all`,
  outage: "Vigía was away",
  chartFailed: "The curve could not be read",
  alerts: "Alerts of this node",
  noAlerts: "No active alert.",
  notFound: "This node does not exist",
  notFoundHint: "It may have been removed, or it belongs to another customer.",
  chartLabel: (what: string, range: string) => `${what}, last ${range}`,
  summary: (minimum: string, average: string, maximum: string) =>
    `Minimum ${minimum}, average ${average}, maximum ${maximum}`,
};
