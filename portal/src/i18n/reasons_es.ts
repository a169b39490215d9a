import type {
  failures as englishFailures,
  field as englishField,
  reasons as english,
} from "./reasons_en";

/** Por qué el monitor rechaza una dirección o un destino: sus palabras, y cómo siguen en una frase nuestra. */
export const reasons: typeof english = {
  "write it as host:port or [ipv6]:port": "se escribe equipo:puerto o [ipv6]:puerto",
  "neither IPv4 nor IPv6": "no es IPv4 ni IPv6",
  "neither a host name nor a plain IP address": "no es un nombre de equipo ni una dirección IP",
  "the name has no address": "el nombre no tiene dirección",
  "link-local, metadata, reserved and multicast addresses are not allowed":
    "no se admiten direcciones de enlace local, de metadatos, reservadas ni de multidifusión",
  "loopback addresses are not allowed": "no se admiten direcciones de la propia máquina",
  "private addresses are not allowed": "no se admiten direcciones privadas",
  "unspecified and IPv4-mapped addresses are not allowed":
    "no se admiten direcciones sin especificar ni IPv4 dentro de IPv6",
  "multicast addresses are not allowed": "no se admiten direcciones de multidifusión",
  "link-local addresses are not allowed": "no se admiten direcciones de enlace local",
  "metadata addresses are not allowed": "no se admiten direcciones de metadatos",
  "6to4 addresses are not allowed": "no se admiten direcciones 6to4",
  "NAT64 addresses are not allowed": "no se admiten direcciones NAT64",
  "a URL that begins with http:// or https://":
    "se escribe una URL que empieza con http:// o https://",
  "no user name in the URL": "la URL no puede llevar un nombre de usuario",
  "the port is a number from 1 to 65535": "el puerto es un número de 1 a 65535",
  "a URL in its escaped form": "la URL se escribe con sus caracteres codificados",
  "a URL in its escaped form: after % two hexadecimal digits are needed":
    "después de % van dos cifras hexadecimales",
  "the part after @ is no domain name": "lo que sigue a @ no es un nombre de dominio",
  "before @ letters, digits, single dots and !#$%&'*+-/=?^_`{|}~ are taken":
    "antes de @ se admiten letras, cifras, puntos simples y !#$%&'*+-/=?^_`{|}~",
  "one e-mail address; add a second channel for a second one":
    "una sola dirección de correo; para otra agregue otro canal",
  "an e-mail address, as in alerts@example.com":
    "se escribe una dirección de correo, como alertas@example.com",
  "only for slack; letters, digits and # @ . _ -": "se admiten letras, cifras y # @ . _ -",
};

export const failures: typeof englishFailures = {
  "its host cannot be reached": "no se llega a su servidor",
  "its host does not answer in time": "su servidor no responde a tiempo",
  "its host does not answer in HTTP": "su servidor no responde en HTTP",
  "too many messages are under way to this customer":
    "hay demasiados mensajes en camino para este cliente",
  "too many messages are under way": "hay demasiados mensajes en camino",
  "the message cannot be written anew": "no se puede escribir el mensaje en la forma de este canal",
  "the mail server does not take the message": "el servidor de correo no acepta el mensaje",
};
export const answers = (status: string) => `su servidor responde ${status}`;

export const unresolved = (host: string) => `ningún servidor de nombres conoce ${host}`;

export const field: typeof englishField = {
  missing: "Complete este campo.",
  choose: "Elija uno",
  short: (length) => `Escriba al menos ${String(length)} caracteres.`,
  email: "Escriba una dirección de correo, como alertas@example.com.",
  url: "Escriba una URL que empiece con http:// o https://.",
  other: "Escriba algo más que espacios.",
};
