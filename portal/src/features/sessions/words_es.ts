import type * as english from "./words_en";

// Las frases sobre el ingreso, las contraseñas y las sesiones, en español.

export const login: typeof english.login = {
  title: "Iniciar sesión",
  lead: "Vea de un vistazo si sus nodos están bien.",
  user: "Usuario",
  password: "Contraseña",
  submit: "Entrar",
  busy: "Comprobando…",
  wrong: "El usuario o la contraseña no son correctos.",
  throttled: "Demasiados intentos. Espere un momento y pruebe otra vez.",
  unreachable: "El servidor no respondió. Revise la conexión y pruebe otra vez.",
  ended: "Su sesión terminó. Inicie sesión de nuevo.",
};

export const password: typeof english.password = {
  title: "Cambiar contraseña",
  lead: "Se cerrarán sus demás sesiones.",
  current: "Contraseña actual",
  next: "Contraseña nueva",
  hint: (length) => `Al menos ${String(length)} caracteres`,
  submit: "Cambiarla",
  wrong: "La contraseña actual no es correcta.",
  done: "La contraseña se cambió.",
};

export const sessions: typeof english.sessions = {
  title: "Sesiones",
  lead: "Dónde inició sesión. Si alguna no es suya, termínela y cambie su contraseña.",
  current: "esta",
  opened: (moment) => `ingreso: ${moment}`,
  lastUsed: "último uso",
  end: "Terminar",
  endLabel: (address, opened) => `Terminar la sesión desde ${address}, ${opened}`,
  unknownBrowser: "Programa desconocido",
  on: (browser, system) => `${browser} en ${system}`,
  empty: "Ninguna sesión",
  emptyHint: "Inicie sesión para verla aquí.",
};
