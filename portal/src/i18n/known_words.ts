/** The words for what the server names, or undefined where they are not among ours; never what every object has. */
export function knownWords(words: Readonly<Record<string, string>>, name: string) {
  return Object.hasOwn(words, name) ? words[name] : undefined;
}
