/** Whose things a page shows: a customer, as far as its choice needs it. */
export interface Owner {
  id: string;
  name: string;
}

/** Customers as every page orders them. */
export function byName(a: Owner, b: Owner): number {
  return a.name.localeCompare(b.name) || a.id.localeCompare(b.id);
}
