// The sentences about notification channels, in English.

export const channels = {
  title: "Notifications",
  lead: "Where a customer's alerts are sent, besides this portal.",
  leadCustomer: "Where your alerts are sent, besides this portal. Your provider changes it.",
  add: "Add a channel",
  addTitle: "New channel",
  type: "Type",
  types: { email: "E-mail", slack: "Slack", webhook: "Webhook" },
  statuses: { active: "active", pending: "being set up", not_active: "⚠ not active" },
  hints: {
    email: "A message to an address",
    slack: "Through an incoming webhook",
    webhook: "A POST with JSON, as Alertmanager sends it",
  },
  targets: { email: "Address", slack: "Webhook URL", webhook: "URL" },
  targetHints: {
    email: "e.g. alerts@example.com",
    slack: "e.g. https://hooks.slack.com/services/…; it is a secret and is shown without its path",
    webhook: "http:// or https://; it may hold a secret and is shown without its path",
  },
  targetWrong: (message: string) =>
    `This cannot be used (${message}). Only public addresses are allowed unless the provider's configuration says otherwise.`,
  noMail:
    "No mail server is configured: the provider sets alerting.mail in the monitor's configuration.",
  tooMany: "This customer has as many channels as there may be: remove one first.",
  room: "Channel in Slack",
  roomHint: "Optional, e.g. #alerts; otherwise the webhook's own",
  busy: "Adding…",
  since: (date: string) => `since ${date}`,
  delivered: (date: string) => `last delivered ${date}`,
  notDelivered: "nothing delivered yet",
  deliveryUnknown: "no delivery known",
  failed: (date: string, reason: string) => `Last failure ${date}: ${reason}`,
  failing: (date: string, reason: string) => `⚠ Not delivered ${date}: ${reason}`,
  remove: "Remove",
  removeLabel: (target: string, since: string) => `Remove the channel ${target}, ${since}`,
  removeTitle: "Remove this channel?",
  removeText: (target: string, since: string) =>
    `No alert is sent to ${target} (${since}) any more.`,
  removing: "Removing…",
  empty: "No channel yet",
  emptyHint: (providerIsTold: boolean): string =>
    providerIsTold
      ? "This customer's alerts are shown on this portal and told to the provider's receiver (alerting.webhook), not to the customer. Add a channel to tell it too."
      : "This customer's alerts are shown on this portal only: nobody is told. Add a channel.",
  emptyHintCustomer: (providerIsTold: boolean): string =>
    providerIsTold
      ? "Your alerts are shown on this portal and told to your provider. Ask it for a channel to be told yourself."
      : "Alerts are shown on this portal only. Ask your provider for a channel.",
  noCustomerHint: "Channels belong to a customer.",
};
