/** “1 nodo”, “2 nodos”: a number with the word for one or for many. */
export const count = (n: number, one: string, many: string) =>
  `${String(n)} ${n === 1 ? one : many}`;
