/** An answer that says no: what the server calls the failure, and its sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly context: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** Dispatched on `window` when the server no longer knows who we are. */
export const SIGNED_OUT_EVENT = 'qvmon:signed-out';

interface ErrorBody {
  error?: { kind?: string; message?: string } | string;
  errorType?: string;
}

function errorFrom(status: number, body: ErrorBody | null): ApiError {
  const error = body?.error;
  if (typeof error === 'string') {
    return new ApiError(status, body?.errorType ?? 'error', error); // the Prometheus API's envelope
  }
  const { kind = 'error', message = `The server answered ${status}.`, ...context } = error ?? {};
  return new ApiError(status, kind, message, context);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: 'same-origin', ...init });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.');
  }
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  let body: unknown = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    body = null;
  }
  if (response.ok) return body as T;
  if (response.status === 401) window.dispatchEvent(new Event(SIGNED_OUT_EVENT));
  throw errorFrom(response.status, body as ErrorBody | null);
}

/** Fetches JSON; throws `ApiError`. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await send(path, { signal, headers: { Accept: 'application/json' } }));
}

/** Sends JSON with an unsafe method; the extra header is the proof against forged requests. */
export async function act<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const headers = { Accept: 'application/json', 'Content-Type': 'application/json', 'X-Qvmon-Request': '1' };
  return read<T>(await send(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
}

/** Sends a form, as the Prometheus API takes long queries. */
export async function postForm<T>(path: string, form: URLSearchParams, signal?: AbortSignal): Promise<T> {
  const headers = { Accept: 'application/json', 'X-Qvmon-Request': '1' };
  return read<T>(await send(path, { method: 'POST', headers, body: form, signal }));
}

/** Returns `path` with the parameters that have a value. */
export function withParameters(path: string, parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}
