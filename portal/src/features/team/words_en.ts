// The sentences about the provider's own people and programs, in English.

export const team = {
  title: "Team",
  lead: "Who works at the provider, and the programs that may see every customer.",
  people: "Operators",
  addPerson: "Add an operator",
  addPersonTitle: "New operator",
  addPersonLead: "An operator sees and changes everything, of every customer.",
  tokens: "Operator tokens",
  createToken: "Create a token",
  createTokenTitle: "New operator token",
  createTokenLead: "It sees every customer.",
  readHint: "Ask: queries over all customers",
  manageHint: "Change: customers, nodes, tokens by script",
  noTokens: "No operator token",
  noTokensHint: "Create one for a program that watches or sets up all customers.",
  noteHint: "For you to recognise it, e.g. the program it is for",
};
