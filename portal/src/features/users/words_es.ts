import type * as english from "./words_en";

// Las frases sobre los usuarios, en español.

export const users: typeof english.users = {
  disabled: "desactivado",
  disable: "Desactivar",
  enable: "Activar",
  disableLabel: (name) => `Desactivar a ${name}`,
  enableLabel: (name) => `Activar a ${name}`,
  newPassword: "Contraseña nueva",
  newPasswordLabel: (name) => `Dar a ${name} una contraseña nueva`,
  newPasswordLead: (name) => `Las sesiones de ${name} terminan.`,
  exists: "Ese nombre ya está en uso, quizá por un usuario de otro cliente: elija otro.",
  weak: "Elija otra contraseña: esta es corta, fácil de adivinar, o contiene el nombre del usuario.",
  last: "Es el último operador que puede entrar: active primero a otro.",
};
