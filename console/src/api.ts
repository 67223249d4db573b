/** Calls of the API: one envelope for everything, the token in a header, streams of server-sent events. */

export interface FieldFault {
  field: string;
  message: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
    readonly fields: FieldFault[] = [],
  ) {
    super(message);
  }
}

const TOKEN = 'wayside.token';
let token = sessionStorage.getItem(TOKEN) ?? localStorage.getItem(TOKEN) ?? '';
let onSignedOut: () => void = () => undefined;

export const hasToken = () => token !== '';

/** Keeps the token for this tab, or (`remember`) for this browser. An empty token forgets both. */
export function setToken(value: string, remember = false) {
  token = value;
  sessionStorage.removeItem(TOKEN);
  localStorage.removeItem(TOKEN);
  if (value) (remember ? localStorage : sessionStorage).setItem(TOKEN, value);
}

export function whenSignedOut(act: () => void) {
  onSignedOut = act;
}

async function post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { token } : {}) },
      body: JSON.stringify(body ?? {}),
      signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 0, '服务器无应答 / the server does not answer');
  }
  if (!answer.ok) {
    const told = (await answer.json().catch(() => null)) as { code?: number; resultMsg?: string; data?: FieldFault[] } | null;
    if (answer.status === 401 && token && path !== 'account/login') {
      setToken('');
      onSignedOut();
    }
    throw new ApiError(
      answer.status,
      told?.code ?? 0,
      told?.resultMsg ?? `HTTP ${answer.status}`,
      Array.isArray(told?.data) ? told.data : [],
    );
  }
  return answer;
}

/** `data` of the answer of `/api/{path}`. Throws ApiError. */
export async function call<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = (await (await post(path, body, signal)).json()) as { data: T };
  return answer.data;
}

/** A binary or text answer, such as a picture or a CSV file. */
export async function fetchBlob(path: string, body?: unknown, signal?: AbortSignal): Promise<Blob> {
  return (await post(path, body, signal)).blob();
}

/** A file of the archive under the path of a push, with the token in case the archive wants it. */
export async function fetchArchive(path: string, signal?: AbortSignal): Promise<Blob> {
  const answer = await fetch(`/${path.replace(/^\//, '')}`, { headers: token ? { token } : {}, signal });
  if (!answer.ok) throw new ApiError(answer.status, 0, `HTTP ${answer.status}`);
  return answer.blob();
}

/** Reads server-sent events until the signal aborts, connecting again after a pause when the stream breaks. */
export async function stream<T>(path: string, body: unknown, onMessage: (message: T) => void, signal: AbortSignal): Promise<void> {
  let pause = 500;
  while (!signal.aborted) {
    try {
      const answer = await post(path, body, signal);
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      pause = 500;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        rest += value;
        const parts = rest.split('\n\n');
        rest = parts.pop() ?? '';
        for (const part of parts) if (part.startsWith('data: ')) onMessage(JSON.parse(part.slice(6)) as T);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 404)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 10_000);
  }
}

/** A stream while its tab is seen: one that nobody sees costs the server nothing, and takes none of the six connections that a
 * browser has to a server for all its tabs. Returns what ends it. */
export function streamWhileSeen<T>(path: string, body: unknown, onMessage: (message: T) => void): () => void {
  let stop = new AbortController();
  const begin = () => {
    stop = new AbortController();
    stream<T>(path, body, onMessage, stop.signal).catch(() => undefined); // signed out, or gone: the page has been told
  };
  const onVisibility = () => (document.hidden ? stop.abort() : begin());
  if (!document.hidden) begin();
  document.addEventListener('visibilitychange', onVisibility);
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    stop.abort();
  };
}

export function saveFile(blob: Blob, name: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
