import type * as english from "./words_en";

// Las frases sobre los clientes, en español.

export const customers: typeof english.customers = {
  title: "Clientes",
  lead: "Cada cliente ve solo sus propios nodos, alertas y tokens.",
  create: "Crear un cliente",
  createTitle: "Cliente nuevo",
  creating: "Creando…",
  exists: "Ya hay un cliente con este identificador.",
  changeTitle: "Editar cliente",
  changeLabel: (name) => `Editar el cliente ${name}`,
  columns: { customer: "Cliente", nodes: "Nodos", alerts: "Alertas", created: "Creado" },
  users: "Usuarios",
  usersTitle: "Quién puede entrar",
  addUser: "Agregar un usuario",
  noUsers: "Nadie todavía",
  neverLoggedIn: "nunca entró",
  lastLogin: (moment) => `último ingreso: ${moment}`,
  openTokens: "Tokens",
  empty: "Todavía no hay clientes",
  limits: {
    sending: "Límites de lo que envía",
    sendingHint: "0: ninguno propio, vale el del colector donde lo tiene.",
    queries: "Límites de una consulta",
    queriesHint:
      "Una consulta que pide más se rechaza y se le dice qué límite fue. 0: ninguno propio, vale el del router.",
  },
  emptyHint: "Cree el primero: necesita un identificador y un nombre.",
};
