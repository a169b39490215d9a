import type * as english from "./words_en";

// Las frases sobre las personas y los programas del proveedor, en español.

export const team: typeof english.team = {
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
};
