import { count } from "../i18n/count";
import type * as english from "./words_en";

// Las frases sobre el marco de todas las páginas, en español.

export const navigation: typeof english.navigation = {
  skip: "Ir al contenido",
  label: "Principal",
  overview: "Nodos",
  alerts: "Alertas",
  tokens: "Tokens",
  customers: "Clientes",
  channels: "Avisos",
  team: "Equipo",
  audit: "Auditoría",
  sessions: "Sesiones",
  logOut: "Cerrar sesión",
  changePassword: "Cambiar contraseña",
  account: "Cuenta",
  operator: "Proveedor",
};

export const documentTitle: typeof english.documentTitle = {
  down: (n) => `🔴 ${count(n, "caído", "caídos")}`,
  alerts: (sign, n) => `${sign} ${count(n, "alerta", "alertas")}`,
  service: "🟠 el servicio no está bien",
  degraded: (n) => `🟠 ${count(n, "degradado", "degradados")}`,
  unknown: (n) => `⚪ ${String(n)} sin datos`,
  waiting: (n) => `⚪ ${String(n)} en espera`,
  lost: "⚪ sin conexión",
  up: "🟢 todo en línea",
};
