/** The sentences about the service itself, and about what is not known because of it, in English. */
export const service = {
  /** Why nothing is said of a node; none of them means that it is down. */
  statusReasons: {
    waiting: "Waiting for its first data: it has never sent anything.",
    collector_away:
      "Unknown: the collector is away. The agent keeps its data and sends them later.",
    hot_away: "Unknown: the hot store is away. The node may be well.",
    router_away: "Unknown: the router is away. The node may be well.",
    unmeasured: "Unknown: nobody asks this node just now.",
    back: "Unknown for a moment: the service is just back, and the node's data are on their way.",
    disabled: "Not watched: the customer is disabled.",
  },
  wasDown: (since: string) =>
    `Unknown just now, since a part of the service is away. The node was down before: alert since ${since}.`,
  statusReasonsShort: {
    waiting: "for its first data",
    collector_away: "the collector is away",
    hot_away: "the hot store is away",
    router_away: "the router is away",
    unmeasured: "is not asked",
    back: "data on their way",
    disabled: "customer disabled",
  },

  /** The same for a customer, who knows nothing of the provider's parts. */
  statusReasonsForCustomers: {
    waiting: "Waiting for its first data: it has never sent anything.",
    collector_away:
      "Unknown: your provider's monitoring has an interruption of its own. The agent keeps its data and sends them later.",
    hot_away:
      "Unknown: your provider's monitoring has an interruption of its own. The node may be well.",
    router_away:
      "Unknown: your provider's monitoring has an interruption of its own. The node may be well.",
    unmeasured: "Unknown: your provider does not ask this node just now.",
    back: "Unknown for a moment: your provider's monitoring is just back, and the node's data are on their way.",
    disabled: "Not watched: the customer is disabled.",
  },
  wasDownForCustomers: (since: string) =>
    `Unknown: your provider's monitoring has an interruption of its own. The node was down before: alert since ${since}.`,
  statusReasonsShortForCustomers: {
    waiting: "for its first data",
    collector_away: "interruption at the provider",
    hot_away: "interruption at the provider",
    router_away: "interruption at the provider",
    unmeasured: "is not asked",
    back: "data on their way",
    disabled: "customer disabled",
  },

  /** The long-term store did not answer; `since` is from when on all is there, null where nobody knows. */
  coldMissing: (since: string | null) =>
    since === null
      ? "Our storage does not answer: older data may be missing here."
      : `Our storage does not answer: what is older than ${since} may be missing here.`,
  coldMissingForCustomers: (since: string | null) =>
    since === null
      ? "Your provider's monitoring has an interruption of its own: older data may be missing here."
      : `Your provider's monitoring has an interruption of its own: what is older than ${since} may be missing here.`,
  hotMissing: "The hot store does not answer: what is only there is missing here.",
  hotMissingForCustomers:
    "Your provider's monitoring has an interruption of its own: the newest data may be missing here.",
  /** For a customer, of a warning that we have no words for. */
  somethingMissing:
    "Your provider's monitoring has an interruption of its own: something may be missing here.",

  /** The monitor's own sentences on what it cannot show; what is not among them is quoted. */
  serverWords: {
    "down times missing: the router does not answer":
      "The router does not answer: when nodes were down, and when Vigía was away, is not known.",
    "newest part missing: the router does not answer":
      "The newest part of the curves is missing: the router does not answer.",
    "Alertmanager does not take it; what it says stands in vigia-monitor's log":
      "Alertmanager does not take it; what it says stands in the monitor's log.",
    "no mail server is configured (alerting.mail)": "No mail server is configured.",
    "live state missing: more is sent about nodes than can be read":
      "Of some nodes more is sent than can be read: how they are is not known until it is less.",
    "live state missing: questions about nodes get no answer in time":
      "Questions about some nodes get no answer in time: how they are is not known until they do.",
    "live state missing: the router does not answer":
      "The live state is missing: the router does not answer.",
    "alerts missing: more are active than can be read":
      "Of whom more alerts are active than can be read, they are not known until there are fewer.",
    "alerts missing: Alertmanager does not answer":
      "The alerts are missing: Alertmanager does not answer.",
    "curves missing: the router does not answer":
      "The curves are missing: the router does not answer.",
    "collector away: nodes that send their health cannot be judged; agents keep their data":
      "Our collector is away: nothing new arrives, and nodes that push cannot be judged. Agents keep their data and send them later.",
    "hot store away: nodes that are asked cannot be judged, and no alert is evaluated":
      "Our hot store is away: nodes that are scraped cannot be judged, and no alert is evaluated.",
    "storage away: what is older than the hot store cannot be shown":
      "Our storage is away: what is older than the hot store cannot be shown.",
  },

  /** The same where they speak of the provider's own parts, for a customer. */
  serverWordsForCustomers: {
    "down times missing: the router does not answer":
      "Your provider's monitoring has an interruption of its own: when nodes were down is not known.",
    "newest part missing: the router does not answer":
      "Your provider's monitoring has an interruption of its own: the newest part of the curves is missing.",
    "curves missing: the router does not answer":
      "Your provider's monitoring has an interruption of its own: curves cannot be shown just now.",
    "Alertmanager does not take it; what it says stands in vigia-monitor's log":
      "Your provider has to correct it.",
    "no mail server is configured (alerting.mail)": "Your provider has no mail server yet.",
    "live state missing: more is sent about nodes than can be read":
      "More is sent about your nodes than can be read: how they are is not known until it is less.",
    "live state missing: questions about nodes get no answer in time":
      "Your provider's monitoring is slow just now: how your nodes are is not known until it is not.",
    "live state missing: the router does not answer":
      "Your provider's monitoring has an interruption of its own: the state of your nodes cannot be shown just now.",
    "alerts missing: more are active than can be read":
      "More alerts are active than can be read: they are not known until there are fewer.",
    "alerts missing: Alertmanager does not answer":
      "Your provider's monitoring has an interruption of its own: alerts cannot be shown just now.",
    "collector away: nodes that send their health cannot be judged; agents keep their data":
      "Your provider's monitoring has an interruption of its own and receives nothing just now. Your nodes keep their data and send them later.",
    "hot store away: nodes that are asked cannot be judged, and no alert is evaluated":
      "Your provider's monitoring has an interruption of its own: the state of some nodes is not known, and alerts may come late.",
    "storage away: what is older than the hot store cannot be shown":
      "Your provider's monitoring has an interruption of its own: older data cannot be shown just now.",
  },
};
