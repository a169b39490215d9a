import type { nodePage as english } from "./en_node";

/** Las frases de la página de un nodo y de sus curvas, en español. */
export const nodePage: typeof english = {
  sparkline: (what, from, to, last) =>
    `${what}, últimos 15 minutos: entre ${from} y ${to}, ahora ${last}`,
  sparklineEmpty: (what) => `${what}: sin datos en los últimos 15 minutos`,

  node: {
    back: "Todos los nodos",
    customer: "Cliente",
    region: "Región",
    environment: "Entorno",
    reach: "Recolección",
    lastSeen: "Último dato",
    downSince: "Caído desde",
    buffer: "Búfer usado",
    collector: "Colector",
    collectorReachable: "accesible",
    collectorUnreachable: "sin acceso",
    range: "Período",
    ranges: {
      "15m": "15 min",
      "1h": "1 h",
      "6h": "6 h",
      "24h": "24 h",
      "7d": "7 d",
      "30d": "30 d",
      "1y": "1 año",
      "2y": "2 años",
    },
    cpu: "CPU",
    memory: "Memoria",
    minimum: "mín",
    average: "media",
    maximum: "máx",
    noData: "Sin datos en este período",
    noDataHint: "Si el nodo es nuevo, espere un intervalo (15 s); si no, revise su agente.",
    noDataDown:
      "El nodo estuvo caído todo el tiempo: elija un período más largo para ver lo que envió antes.",
    noDataOutage:
      "En este período hubo una interrupción de Vigía. Lo que el agente del nodo guarda mientras tanto llega después.",
    noDataPartlyDown: "Abajo se ve cuándo se sabe que el nodo estuvo caído.",
    maximumAt: (value, when) => `${value} (${when})`,
    zone: (zone) => `Horas de ${zone}`,
    table: "Valores en una tabla",
    tableOf: (what) => `${what}: valores`,
    columns: { when: "Cuándo", average: "Media", minimum: "Mínimo", maximum: "Máximo" },
    lastValue: (value, time) => `último ${value} (${time})`,
    spans: {
      down: (when) => `caído ${when}`,
      outage: (when) => `sin datos: interrupción de Vigía ${when}`,
      unknown: (when) => `sin datos ${when}`,
    },
    downWithin: (length, when) => `caído ${length} entre ${when}`,
    downOften: (times, length) => `caído ${String(times)} veces, ${length} en total`,
    outageOften: (times, length) =>
      `sin datos: interrupción de Vigía ${String(times)} veces, ${length} en total`,
    unknownOften: (times, length) => `sin datos ${String(times)} veces, ${length} en total`,
    outage: "Interrupción de Vigía",
    chartFailed: "No se pudo leer la curva",
    alerts: "Alertas de este nodo",
    noAlerts: "Ninguna alerta activa.",
    notFound: "Este nodo no existe",
    notFoundHint: "Puede haber sido quitado, o es de otro cliente.",
    chartLabel: (what, range) => `${what}, período de ${range}`,
    summary: (minimum, average, maximum) =>
      `Mínimo ${minimum}, media ${average}, máximo ${maximum}`,
  },
};
