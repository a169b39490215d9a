/** The server renews its overview every 5 s: asking more often shows nothing new. */
export const pollMs = 5_000;
