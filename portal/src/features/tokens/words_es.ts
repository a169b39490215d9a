import type * as english from "./words_en";

// Las frases sobre los tokens, en español.

export const tokens: typeof english.tokens = {
  title: "Tokens",
  lead: "Con un token de ingesta los agentes envían; con uno de lectura los programas consultan. Cada token se muestra una sola vez.",
  customer: "Cliente",
  create: "Crear un token",
  createTitle: "Token nuevo",
  scope: "Qué permite",
  ingest: "ingesta",
  read: "lectura",
  manage: "gestión",
  ingestHint: "Enviar: para agentes y aplicaciones",
  readHint: "Consultar: para Grafana y otros programas",
  note: "Nombre",
  noteHint: "Para reconocerlo, por ejemplo el nodo para el que es",
  creating: "Creando…",
  createdTitle: "Token creado",
  createdWarning: "Cópielo ahora: no se guarda y no se puede volver a mostrar.",
  token: "Token",
  agentCommand: "Inicie con él un nodo más",
  sdkCommand: "O envíe desde una aplicación con un SDK de OpenTelemetry",
  sdkHint:
    "Sin customer.id entre los atributos del recurso se rechaza lo que la aplicación envía. En un nodo con agente no hace falta nada de esto: ahí las aplicaciones envían al agente, localhost:4317 o :4318.",
  queryCommand: "Pruébelo",
  done: "Listo",
  columns: {
    note: "Nombre",
    scope: "Permiso",
    created: "Creado",
    expires: "Vence",
  },
  revoke: "Revocar",
  createdOn: (scope, moment) => `${scope}, creado el ${moment}`,
  revokeLabel: (name, which) => `Revocar el token ${name}: ${which}`,
  revokeTitle: "¿Revocar este token?",
  revokeText: (name, which) =>
    `Quien use «${name}» (${which}) será rechazado en todas partes en menos de 5 segundos. No se puede deshacer.`,
  revoking: "Revocando…",
  revoked: "revocado",
  empty: "Todavía no hay tokens",
  emptyHint: "Cree un token de ingesta para conectar el primer nodo.",
  noCustomer: "Primero cree un cliente",
  noCustomerHint: "Los tokens pertenecen a un cliente.",
  failed: "No se pudo hacer",
};
