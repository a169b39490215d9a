// The sentences about customers, in English.

export const customers = {
  title: "Customers",
  lead: "Each customer sees only its own nodes, alerts and tokens.",
  create: "Create a customer",
  createTitle: "New customer",
  creating: "Creating…",
  exists: "There is already a customer with this id.",
  changeTitle: "Edit customer",
  changeLabel: (name: string) => `Edit customer ${name}`,
  columns: { customer: "Customer", nodes: "Nodes", alerts: "Alerts", created: "Created" },
  users: "Users",
  usersTitle: "Who may log in",
  addUser: "Add a user",
  noUsers: "Nobody yet",
  neverLoggedIn: "has never logged in",
  lastLogin: (moment: string) => `last login: ${moment}`,
  openTokens: "Tokens",
  empty: "No customer yet",
  limits: {
    sending: "Limits of what it sends",
    sendingHint: "0: none of its own, the collector’s default holds where it has one.",
    queries: "Limits of one query",
    queriesHint:
      "A query that wants more is refused, and told which limit it was. 0: none of its own, the router’s default holds.",
  },
  emptyHint: "Create the first one: it takes an id and a name.",
};
