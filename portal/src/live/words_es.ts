import type { service as english } from "./words_en";

/** Las frases sobre el propio servicio, y sobre lo que por él no se sabe, en español. */
export const service: typeof english = {
  statusReasons: {
    waiting: "Esperando sus primeros datos: nunca envió nada.",
    collector_away:
      "Desconocido: el colector no responde. El agente guarda sus datos y los envía después.",
    hot_away: "Desconocido: el almacén caliente no responde. El nodo puede estar bien.",
    router_away: "Desconocido: el router no responde. El nodo puede estar bien.",
    unmeasured: "Desconocido: nadie consulta este nodo en este momento.",
    back: "Desconocido por un momento: el servicio acaba de volver, y los datos del nodo están en camino.",
    disabled: "No se vigila: el cliente está desactivado.",
  },
  wasDown: (since) =>
    `Desconocido por ahora: una parte del servicio no responde. El nodo ya estaba caído: alerta desde ${since}.`,
  statusReasonsShort: {
    waiting: "sus primeros datos",
    collector_away: "el colector no responde",
    hot_away: "el almacén caliente no responde",
    router_away: "el router no responde",
    unmeasured: "no se consulta",
    back: "datos en camino",
    disabled: "cliente desactivado",
  },

  statusReasonsForCustomers: {
    waiting: "Esperando sus primeros datos: nunca envió nada.",
    collector_away:
      "Desconocido: el monitoreo de su proveedor tiene una interrupción propia. El agente guarda sus datos y los envía después.",
    hot_away:
      "Desconocido: el monitoreo de su proveedor tiene una interrupción propia. El nodo puede estar bien.",
    router_away:
      "Desconocido: el monitoreo de su proveedor tiene una interrupción propia. El nodo puede estar bien.",
    unmeasured: "Desconocido: su proveedor no consulta este nodo en este momento.",
    back: "Desconocido por un momento: el monitoreo de su proveedor acaba de volver, y los datos del nodo están en camino.",
    disabled: "No se vigila: el cliente está desactivado.",
  },
  wasDownForCustomers: (since) =>
    `Desconocido: el monitoreo de su proveedor tiene una interrupción propia. El nodo ya estaba caído: alerta desde ${since}.`,
  statusReasonsShortForCustomers: {
    waiting: "sus primeros datos",
    collector_away: "interrupción del proveedor",
    hot_away: "interrupción del proveedor",
    router_away: "interrupción del proveedor",
    unmeasured: "no se consulta",
    back: "datos en camino",
    disabled: "cliente desactivado",
  },

  coldMissing: (since) =>
    since === null
      ? "Nuestro almacenamiento no responde: aquí pueden faltar datos anteriores."
      : `Nuestro almacenamiento no responde: aquí puede faltar lo anterior al ${since}.`,
  coldMissingForCustomers: (since) =>
    since === null
      ? "El monitoreo de su proveedor tiene una interrupción propia: aquí pueden faltar datos anteriores."
      : `El monitoreo de su proveedor tiene una interrupción propia: aquí puede faltar lo anterior al ${since}.`,
  hotMissing: "El almacén caliente no responde: aquí falta lo que está solo ahí.",
  hotMissingForCustomers:
    "El monitoreo de su proveedor tiene una interrupción propia: aquí pueden faltar los datos más nuevos.",
  somethingMissing:
    "El monitoreo de su proveedor tiene una interrupción propia: aquí puede faltar algo.",

  serverWords: {
    "down times missing: the router does not answer":
      "El router no responde: no se sabe cuándo los nodos estuvieron caídos ni cuándo faltó Vigía.",
    "newest part missing: the router does not answer":
      "Falta la parte más nueva de las curvas: el router no responde.",
    "Alertmanager does not take it; what it says stands in vigia-monitor's log":
      "Alertmanager no lo acepta; el motivo está en el registro del monitor.",
    "no mail server is configured (alerting.mail)": "No hay un servidor de correo configurado.",
    "live state missing: more is sent about nodes than can be read":
      "De algunos nodos se envía más de lo que se puede leer: mientras no sea menos, no se sabe cómo están.",
    "live state missing: questions about nodes get no answer in time":
      "De algunos nodos no llega respuesta a tiempo: hasta que llegue, no se sabe cómo están.",
    "live state missing: the router does not answer":
      "Falta el estado en vivo: el router no responde.",
    "alerts missing: more are active than can be read":
      "De quien tiene activas más alertas de las que se pueden leer, no se conocen mientras no sean menos.",
    "alerts missing: Alertmanager does not answer": "Faltan las alertas: Alertmanager no responde.",
    "curves missing: the router does not answer": "Faltan las curvas: el router no responde.",
    "collector away: nodes that send their health cannot be judged; agents keep their data":
      "Nuestro colector no responde: no llega nada nuevo, y los nodos que envían su estado no se pueden juzgar. Los agentes guardan sus datos y los envían después.",
    "hot store away: nodes that are asked cannot be judged, and no alert is evaluated":
      "Nuestro almacén caliente no responde: los nodos que se consultan no se pueden juzgar, y no se evalúa ninguna alerta.",
    "storage away: what is older than the hot store cannot be shown":
      "Nuestro almacenamiento no responde: no se puede mostrar lo anterior al almacén caliente.",
  },

  serverWordsForCustomers: {
    "down times missing: the router does not answer":
      "El monitoreo de su proveedor tiene una interrupción propia: no se sabe cuándo los nodos estuvieron caídos.",
    "newest part missing: the router does not answer":
      "El monitoreo de su proveedor tiene una interrupción propia: falta la parte más nueva de las curvas.",
    "curves missing: the router does not answer":
      "El monitoreo de su proveedor tiene una interrupción propia: por ahora no se pueden mostrar las curvas.",
    "Alertmanager does not take it; what it says stands in vigia-monitor's log":
      "Su proveedor tiene que corregirlo.",
    "no mail server is configured (alerting.mail)":
      "Su proveedor todavía no tiene servidor de correo.",
    "live state missing: more is sent about nodes than can be read":
      "De sus nodos se envía más de lo que se puede leer: mientras no sea menos, no se sabe cómo están.",
    "live state missing: questions about nodes get no answer in time":
      "El monitoreo de su proveedor está lento: hasta que deje de estarlo, no se sabe cómo están sus nodos.",
    "live state missing: the router does not answer":
      "El monitoreo de su proveedor tiene una interrupción propia: por ahora no se puede mostrar el estado de sus nodos.",
    "alerts missing: more are active than can be read":
      "Hay activas más alertas de las que se pueden leer: no se conocen mientras no sean menos.",
    "alerts missing: Alertmanager does not answer":
      "El monitoreo de su proveedor tiene una interrupción propia: por ahora no se pueden mostrar las alertas.",
    "collector away: nodes that send their health cannot be judged; agents keep their data":
      "El monitoreo de su proveedor tiene una interrupción propia y por ahora no recibe nada. Sus nodos guardan sus datos y los envían después.",
    "hot store away: nodes that are asked cannot be judged, and no alert is evaluated":
      "El monitoreo de su proveedor tiene una interrupción propia: no se sabe el estado de algunos nodos, y las alertas pueden demorarse.",
    "storage away: what is older than the hot store cannot be shown":
      "El monitoreo de su proveedor tiene una interrupción propia: por ahora no se pueden mostrar datos anteriores.",
  },
};
