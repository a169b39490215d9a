import type * as english from "./words_en";

// Las frases sobre los canales de aviso, en español.

export const channels: typeof english.channels = {
  title: "Avisos",
  lead: "A dónde se envían las alertas de un cliente, además de este portal.",
  leadCustomer: "A dónde se envían sus alertas, además de este portal. Lo cambia su proveedor.",
  add: "Agregar un canal",
  addTitle: "Canal nuevo",
  type: "Tipo",
  types: { email: "Correo", slack: "Slack", webhook: "Webhook" },
  statuses: { active: "activo", pending: "preparándose", not_active: "⚠ inactivo" },
  hints: {
    email: "Un mensaje a una dirección",
    slack: "Por un webhook entrante",
    webhook: "Un POST con JSON, como lo envía Alertmanager",
  },
  targets: { email: "Dirección", slack: "URL del webhook", webhook: "URL" },
  targetHints: {
    email: "p. ej. alertas@example.com",
    slack: "p. ej. https://hooks.slack.com/services/…; es un secreto y se muestra sin su ruta",
    webhook: "http:// o https://; puede llevar un secreto y se muestra sin su ruta",
  },
  targetWrong: (message) =>
    `Esto no sirve (${message}). Solo se admiten direcciones públicas, salvo que la configuración del proveedor diga otra cosa.`,
  noMail:
    "No hay servidor de correo: el proveedor define alerting.mail en la configuración del monitor.",
  tooMany: "Este cliente ya tiene tantos canales como puede haber: quite uno primero.",
  room: "Canal de Slack",
  roomHint: "Opcional, p. ej. #alertas; si no, el del propio webhook",
  busy: "Agregando…",
  since: (date) => `desde el ${date}`,
  delivered: (date) => `última entrega: ${date}`,
  notDelivered: "aún sin entregas",
  deliveryUnknown: "no se sabe de ninguna entrega",
  failed: (date, reason) => `Último fallo, ${date}: ${reason}`,
  failing: (date, reason) => `⚠ No se entregó, ${date}: ${reason}`,
  remove: "Quitar",
  removeLabel: (target, since) => `Quitar el canal ${target}, ${since}`,
  removeTitle: "¿Quitar este canal?",
  removeText: (target, since) => `Ya no se envían alertas a ${target} (${since}).`,
  removing: "Quitando…",
  empty: "Todavía no hay canales",
  emptyHint: (providerIsTold) =>
    providerIsTold
      ? "Las alertas de este cliente se ven en este portal y llegan al receptor del proveedor (alerting.webhook), no al cliente. Agregue un canal para avisarle también."
      : "Las alertas de este cliente se ven solo en este portal: no se avisa a nadie. Agregue un canal.",
  emptyHintCustomer: (providerIsTold) =>
    providerIsTold
      ? "Sus alertas se ven en este portal y llegan a su proveedor. Pídale un canal para recibirlas usted también."
      : "Las alertas se ven solo en este portal. Pida un canal a su proveedor.",
  noCustomerHint: "Los canales pertenecen a un cliente.",
};
