// The sentences about customers, in English.

export const customers = {
  title: "Customers",
  lead: "Each customer sees only its own nodes, alerts and tokens.",
  create: "Create a customer",
  createTitle: "New customer",
  id: "Id",
  idHint: "Lower-case letters, digits and hyphens, e.g. customer-c. It cannot be changed later.",
  idWrong:
    "Use 1 to 63 lower-case letters, digits and single hyphens; begin and end without a hyphen.",
  name: "Name",
  nameHint: "As people know it, e.g. Empresa XYZ",
  language: "Language of its e-mails and messages",
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
  emptyHint: "Create the first one: it takes an id and a name.",
};
