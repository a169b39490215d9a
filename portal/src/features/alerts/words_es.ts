import { count } from "../../i18n/count";
import type * as english from "./words_en";

// Las frases sobre las alertas, en español.

export const alerts: typeof english.alerts = {
  title: "Alertas",
  active: (n) => count(n, "alerta activa", "alertas activas"),
  calm: "Nada requiere atención",
  noneActive: "Ninguna alerta activa",
  notKnown: "No se sabe si hay alertas",
  silencedCount: (n) => count(n, "silenciada", "silenciadas"),
  inhibitedCount: (n) => `${String(n)} que explica otra alerta`,
  nodesDown: (n) => count(n, "nodo caído", "nodos caídos"),
  nodesDownUntold: (n, after) => `${count(n, "nodo caído", "nodos caídos")}, alerta a los ${after}`,
  nodesDownNoAlert: (n) => `${count(n, "nodo caído", "nodos caídos")}, todavía sin alerta`,
  nodesDegraded: (n) => count(n, "nodo degradado", "nodos degradados"),
  nodesUnknown: (n) => count(n, "nodo sin datos", "nodos sin datos"),
  critical: "Crítica",
  warning: "Advertencia",
  info: "Informativa",
  silenced: "silenciada",
  inhibited: "la explica otra alerta",
  since: "desde",
  empty: "Ninguna alerta activa",
  leftOut: (n, isAtLeast) =>
    isAtLeast ? `Y más de ${n} más, que no se listan.` : `Y ${n} más, que no se listan.`,
  someLeftOut: "Y más, que no se listan.",
  notKnownOf: "No se sabe si tiene alertas.",
  notKnownHint: "Arriba se dice qué falta. En cuanto vuelva, las alertas se ven aquí.",
  emptyHint: (nodeDownFor) =>
    `Cuando una regla se dispara, por ejemplo porque un nodo lleva ${nodeDownFor} caído, se ve aquí.`,
  emptyHintShort: "Cuando una regla se dispara, por ejemplo porque un nodo está caído, se ve aquí.",
};
