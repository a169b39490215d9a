import type { service as english } from "./en_service";

/** Las frases sobre el propio servicio, y sobre lo que por él no se sabe, en español. */
export const service: typeof english = {
  statusReasons: {
    waiting: "Esperando sus primeros datos: nunca envió nada.",
    collector_away:
      "Desconocido: el colector del proveedor no está. El agente guarda sus datos y los envía después.",
    hot_away: "Desconocido: el almacén en vivo del proveedor no está. El nodo puede estar bien.",
    router_away:
      "Desconocido: el servicio de consultas del proveedor no está. El nodo puede estar bien.",
    unmeasured: "Desconocido: nadie consulta este nodo en este momento.",
  },
  statusReasonsShort: {
    waiting: "sus primeros datos",
    collector_away: "el colector no está",
    hot_away: "el almacén en vivo no está",
    router_away: "el router no está",
    unmeasured: "no se consulta",
  },

  serverWords: {
    "newest part missing: the router does not answer":
      "Falta la parte más nueva de las curvas: el router no responde.",
    "Alertmanager does not take it; what it says stands in vigia-monitor's log":
      "Alertmanager no lo acepta; el motivo está en el registro del monitor.",
    "no mail server is configured (alerting.mail)": "No hay un servidor de correo configurado.",
    "live state missing: the router does not answer":
      "Falta el estado en vivo: el router no responde.",
    "alerts missing: Alertmanager does not answer": "Faltan las alertas: Alertmanager no responde.",
    "curves missing: the router does not answer": "Faltan las curvas: el router no responde.",
    "collector away: nodes that send their health cannot be judged; agents keep their data":
      "Nuestro colector no está: no llega nada nuevo, y los nodos que envían su estado no se pueden juzgar. Los agentes guardan sus datos y los envían después.",
    "hot store away: nodes that are asked cannot be judged, and no alert is evaluated":
      "Nuestro Prometheus caliente no está: los nodos que se consultan no se pueden juzgar, y no se evalúa ninguna alerta.",
    "storage away: what is older than the hot store cannot be shown":
      "Nuestro almacenamiento no está: no se puede mostrar lo anterior al almacén caliente.",
  },

  serverWordsForCustomers: {
    "live state missing: the router does not answer":
      "El monitoreo de su proveedor tiene una interrupción propia: por ahora no se puede mostrar el estado de sus nodos.",
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
