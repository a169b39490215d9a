/** An element's own text colour, for a canvas, which cannot read custom properties. */
export function colorOf(element: Element): string {
  return getComputedStyle(element).color;
}

/** The colour let through: browsers write a computed colour of ours as rgb(r, g, b). */
export function translucent(color: string, opacity: number): string {
  const numbers = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(color);
  if (numbers === null) return "transparent";
  return `rgba(${numbers.slice(1, 4).join(", ")}, ${opacity})`;
}
