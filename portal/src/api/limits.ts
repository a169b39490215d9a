/** The shortest password that the monitor takes. */
export const passwordLengthMin = 12;
