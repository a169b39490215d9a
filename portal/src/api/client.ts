import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type ErrorCode = Schemas["Error"]["error"] | "unreachable";

/** Longest wait for an answer, so that a server that hangs is shown as one that cannot be reached. */
export const requestTimeoutMs = 10_000;
/** Of a long curve the server itself waits for the stores that long. */
const curveTimeoutMs = 20_000;

/** What went wrong with one request; `unreachable` means that no answer of the monitor came at all. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;

  constructor(code: ErrorCode, status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
  }
}

let csrfToken: string | null = null;

/** Changes are refused without the token of the session; it lives in memory only. */
export function setCsrfToken(token: string | null) {
  csrfToken = token;
}

function withTimeout({ url, signal }: Request): AbortSignal {
  const isCurve = new URL(url).pathname.endsWith("/metrics");
  return AbortSignal.any([
    signal,
    AbortSignal.timeout(isCurve ? curveTimeoutMs : requestTimeoutMs),
  ]);
}

export const api = createClient<paths>({
  baseUrl: `${location.origin}/api/v1`,
  credentials: "same-origin",
  // Looked up at each call, so that a test can put its recorded answers in its place.
  fetch: (request) => globalThis.fetch(new Request(request, { signal: withTimeout(request) })),
});

api.use({
  onRequest({ request }) {
    if (request.method !== "GET" && csrfToken !== null) {
      request.headers.set("X-CSRF-Token", csrfToken);
    }
    return request;
  },
});

interface Answer<T> {
  data?: T;
  error?: Partial<Schemas["Error"]> | undefined;
  response: Response;
}

/**
 * Gives the body of a good answer, else throws ApiError. An answer that is neither ours nor an error of ours
 * (a proxy's page while the monitor restarts) counts as unreachable.
 */
export async function unwrap<T>(pending: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await pending;
  } catch (cause) {
    throw new ApiError("unreachable", 0, cause instanceof Error ? cause.message : "no answer");
  }
  if (answer.response.ok) return answer.data as T;
  const { status } = answer.response;
  const code = answer.error?.error;
  if (code === undefined) throw new ApiError("unreachable", status, `HTTP ${status}`);
  throw new ApiError(code, status, answer.error?.message ?? code);
}
