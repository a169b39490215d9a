import type * as english from "./words_en";

// Las frases sobre lo que comparten las páginas, en español.

export const common: typeof english.common = {
  language: "Idioma",
  loading: "Cargando…",
  cancel: "Cancelar",
  close: "Cerrar",
  typedIsKept: "Lo que escribió sigue aquí: Cancelar o Cerrar lo descarta.",
  copy: "Copiar",
  copied: "Copiado",
  copyFailed: "El navegador no permitió copiar: seleccione el texto y cópielo a mano.",
  never: "nunca",
  unknown: "desconocido",
};

export const ruleNames: typeof english.ruleNames = {
  CustomerNodeDown: "Nodo caído",
  CollectorDown: "Collector caído",
  AgentBufferSaturated: "Buffer del agente casi lleno",
  AgentCollectorUnreachable: "El agente no llega al collector",
  HighCPUUsage: "CPU alta",
  HighMemoryUsage: "Memoria alta",
};

export const connection: typeof english.connection = {
  updated: (time) => `Actualizado ${time}`,
  waiting: "Esperando los primeros datos",
  refused: "Sin datos por ahora",
  lost: "Sin conexión con el servidor",
  lostDetail: (time) =>
    `Lo que se ve es de un momento anterior (${time}). Se reintenta cada pocos segundos.`,
  lostNoData: "Todavía no se pudo leer nada. Se reintenta cada pocos segundos.",
};

export const status: typeof english.status = {
  up: "En línea",
  down: "Caído",
  unknown: "Sin datos",
  degraded: "Degradado",
  waiting: "En espera",
};

export const reach: typeof english.reach = {
  push: "Envío",
  scrape: "Consulta",
  pushHint: "El agente envía su estado; nadie necesita llegar al nodo",
  scrapeHint: "El proveedor consulta el estado del nodo",
};

export const problem: typeof english.problem = {
  title: "Esto no se pudo mostrar",
  forbidden: "No tiene permiso para ver esto.",
  generic: (message) => `El servidor dice: ${message}`,
  notFound: "Esa página no existe",
  notFoundHint: "La dirección puede ser vieja.",
  toOverview: "Ir a los nodos",
  failed: "Esta página falló",
  failedHint: "El fallo es del propio portal. No afecta a sus nodos ni a sus datos.",
  reload: "Recargar",
};
