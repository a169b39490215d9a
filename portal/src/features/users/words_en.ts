// The sentences about users, in English.

export const users = {
  disabled: "disabled",
  disable: "Disable",
  enable: "Enable",
  disableLabel: (name: string) => `Disable ${name}`,
  enableLabel: (name: string) => `Enable ${name}`,
  newPassword: "New password",
  newPasswordLabel: (name: string) => `Give ${name} a new password`,
  newPasswordLead: (name: string) => `${name} is logged out everywhere.`,
  exists: "This name is taken, perhaps by another customer's user: choose another one.",
  weak: "Take another password: this one is too short, easily guessed, or holds the user's name.",
  last: "This is the last operator who can log in: enable another one first.",
};
