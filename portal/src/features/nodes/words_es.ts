import type * as english from "./words_en";

// Las frases sobre los nodos: sus formularios, la página de uno y sus curvas, en español.

export const sparklines: typeof english.sparklines = {
  sparkline: (what, from, to, last) =>
    `${what}, últimos 15 minutos: entre ${from} y ${to}, ahora ${last}`,
  sparklineEmpty: (what) => `${what}: sin datos en los últimos 15 minutos`,
};

export const addNode: typeof english.addNode = {
  title: "Agregar un nodo",
  add: "Agregar un nodo",
  customer: "Cliente",
  id: "Nodo",
  idHint: "Como se llama en gráficos y alertas, p. ej. prod-web-02. Después no se puede cambiar.",
  idWrong:
    "Use letras, cifras, guiones y puntos simples; con letra o cifra al comienzo y al final.",
  exists: "Este cliente ya tiene un nodo con ese nombre: elija otro.",
  region: "Región",
  environment: "Entorno",
  reach: "Recolección",
  push: "Envío",
  pushHint: "El agente envía su estado; sirve detrás de cualquier firewall",
  scrape: "Consulta",
  scrapeHint: "El monitor del proveedor lo consulta y debe llegar al nodo",
  address: "Dirección de su /health",
  addressHint: "Equipo y puerto, p. ej. 10.0.0.7:8080; con https:// delante si su /health usa TLS",
  addressWrong: (message) =>
    `Esta dirección no sirve (${message}). Escriba equipo:puerto como llega el monitor del proveedor.`,
  submit: "Continuar",
  busy: "Preparando…",
  readyTitle: "Inicie el agente en el nodo",
  readyLead: (node) =>
    `Pegue estas líneas en ${node}. Llevan un token nuevo, que no se puede volver a mostrar.`,
  lines: "Líneas para el nodo",
  needs: "Ahí tiene que estar instalado el programa vigia-agent; docs/deployment.md dice cómo.",
  loopback: (address) =>
    `El colector atiende solo en su propia máquina (${address}). Para otra máquina, llévelo con ssh -R o dele una dirección pública.`,
  applications: "Las aplicaciones de este nodo no necesitan token ni cliente: envían a su agente.",
  applicationLines: "Para una aplicación de este nodo (casi todos los SDK lo hacen solos)",
  appears: "El nodo se pone verde solo, medio minuto después de iniciar el agente.",
  appearsLater: "El nodo aparece solo cuando su agente envía por primera vez.",
  done: "Listo",
};

export const changeNode: typeof english.changeNode = {
  open: "Editar",
  title: "Editar nodo",
  submit: "Guardar",
  busy: "Guardando…",
  retire: "Retirar",
  retireLabel: (node) => `Retirar el nodo ${node}`,
  retireTitle: "¿Retirar este nodo?",
  retireText: (node) =>
    `${node} deja de vigilarse y no genera alertas. Sus datos quedan. Detenga antes su agente: mientras envíe, el nodo vuelve al minuto.`,
  retiring: "Retirando…",
};

export const node: typeof english.node = {
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
  summary: (minimum, average, maximum) => `Mínimo ${minimum}, media ${average}, máximo ${maximum}`,
};
