import type { administration as english } from "./en_administration";

/** Las frases de las páginas donde se configura algo, en español. */
export const administration: typeof english = {
  addNode: {
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
    addressHint:
      "Equipo y puerto, p. ej. 10.0.0.7:8080; con https:// delante si su /health usa TLS",
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
    applications:
      "Las aplicaciones de este nodo no necesitan token ni cliente: envían a su agente.",
    applicationLines: "Para una aplicación de este nodo (casi todos los SDK lo hacen solos)",
    appears: "El nodo se pone verde solo, medio minuto después de iniciar el agente.",
    appearsLater: "El nodo aparece solo cuando su agente envía por primera vez.",
    done: "Listo",
  },

  changeNode: {
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
  },

  channels: {
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
  },

  audit: {
    title: "Auditoría",
    lead: "Quién cambió qué, lo más nuevo primero. Nada en ella se puede cambiar.",
    everybody: "Todo",
    verify: "Verificar integridad",
    verifying: "Comprobando…",
    intact: (entries) => `Íntegro: las ${entries} entradas encajan.`,
    broken: (entry) =>
      `La entrada ${entry} no encaja con las anteriores: alguien cambió la base de datos desde afuera. Compárela con una copia.`,
    older: "Mostrar anteriores",
    loadingOlder: "Cargando…",
    empty: "Todavía no pasó nada",
    emptyHint: "Los ingresos y los cambios se anotan aquí.",
    from: (address) => `desde ${address}`,
    repeated: (times, since) => `${times} más desde las ${since}`,
    system: "Vigía",
    kinds: { user: "usuario", token: "token" },
    actions: {
      "session.open": "inició sesión",
      "session.close": "cerró sesión",
      "session.end": "terminó una sesión",
      "session.refused": "fue rechazado al iniciar sesión",
      "user.bootstrap": "creó el primer operador",
      "user.create": "creó el usuario",
      "user.change": "cambió el usuario",
      "user.password": "cambió su contraseña",
      "customer.create": "creó el cliente",
      "customer.change": "cambió el cliente",
      "customer.disable": "desactivó el cliente",
      "token.create": "creó un token",
      "token.revoke": "revocó un token",
      "node.create": "registró el nodo",
      "node.register": "registró el nodo que envía",
      "node.change": "cambió el nodo",
      "node.retire": "retiró el nodo",
      "channel.create": "agregó un canal",
      "channel.delete": "quitó un canal",
      "database.restore": "repuso una copia de la base de datos",
      "database.accept": "confirmó la base de datos como está",
    },
  },

  sessions: {
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
  },

  users: {
    disabled: "desactivado",
    disable: "Desactivar",
    enable: "Activar",
    disableLabel: (name) => `Desactivar a ${name}`,
    enableLabel: (name) => `Activar a ${name}`,
    newPassword: "Contraseña nueva",
    newPasswordLabel: (name) => `Dar a ${name} una contraseña nueva`,
    newPasswordLead: (name) => `Las sesiones de ${name} terminan.`,
    exists: "Ese nombre ya está en uso, quizá por un usuario de otro cliente: elija otro.",
    weak: "Elija otra contraseña: esta es corta, muy conocida, una repetición, o contiene el nombre del usuario.",
    last: "Es el último operador que puede entrar: active primero a otro.",
  },

  team: {
    title: "Equipo",
    lead: "Quiénes trabajan en el proveedor, y los programas que pueden ver a todos los clientes.",
    people: "Operadores",
    addPerson: "Agregar un operador",
    addPersonTitle: "Operador nuevo",
    addPersonLead: "Un operador ve y cambia todo, de todos los clientes.",
    tokens: "Tokens de operador",
    createToken: "Crear un token",
    createTokenTitle: "Token de operador nuevo",
    createTokenLead: "Ve a todos los clientes.",
    readHint: "Consultar: preguntas sobre todos los clientes",
    manageHint: "Cambiar: clientes, nodos y tokens desde un script",
    noTokens: "Ningún token de operador",
    noTokensHint: "Cree uno para un programa que vigile o configure a todos los clientes.",
    noteHint: "Para reconocerlo, por ejemplo el programa para el que es",
  },
};
