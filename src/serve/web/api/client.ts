// Requests to the server this page came from, with the reader's key, and their failures as troubles.
import {Observable} from '../store/observable';
import type {Trouble} from '../store/types';

export class TroubleError extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble.message);
  }
}

const KEY = 'malssi.key';
export const keyWanted = new Observable(false);
// Whether the server answered when it was last asked.
export const reachable = new Observable(true);

export function setKey(key: string): void {
  sessionStorage.setItem(KEY, key); // gone with the tab
  keyWanted.set(false);
}

function headers(json: boolean): Record<string, string> {
  const key = sessionStorage.getItem(KEY);
  return {...(json ? {'content-type': 'application/json'} : {}), ...(key ? {authorization: `Bearer ${key}`} : {})};
}

// Retry-After: seconds or a date.
function retryAt(response: Response): number {
  const value = response.headers.get('retry-after') ?? '';
  const seconds = Number(value);
  const at = value && Number.isFinite(seconds) ? Date.now() + seconds * 1000 : Date.parse(value);
  return Number.isFinite(at) ? at : Date.now() + 5000;
}

async function trouble(response: Response): Promise<Trouble> {
  const body = (await response.json().catch(() => ({}))) as {error?: {message?: string; param?: string | null}};
  const message = body.error?.message ?? `${response.status} ${response.statusText}`;
  if (response.status === 401) return {kind: 'key', message};
  if (response.status === 429 || response.status === 503) return {kind: 'busy', message, retryAt: retryAt(response)};
  return {
    kind: response.status < 500 ? 'refused' : 'server',
    message,
    ...(body.error?.param ? {param: body.error.param} : {}),
  };
}

// Throws TroubleError, and an AbortError where the signal says so.
export async function request(
  path: string,
  body?: object,
  signal?: AbortSignal,
  more: Record<string, string> = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: body ? 'POST' : 'GET',
      headers: {...headers(Boolean(body)), ...more},
      cache: 'no-store',
      credentials: 'omit',
      ...(body ? {body: JSON.stringify(body)} : {}),
      ...(signal ? {signal} : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    reachable.set(false);
    throw new TroubleError({kind: 'offline', message: ''});
  }
  reachable.set(true);
  if (response.ok) return response;
  const found = await trouble(response);
  if (found.kind === 'key') keyWanted.set(true);
  throw new TroubleError(found);
}

export const getJson = async <T>(path: string): Promise<T> => (await (await request(path)).json()) as T;

export async function waitUntilReachable(): Promise<void> {
  try {
    await fetch('/health', {cache: 'no-store'});
    reachable.set(true);
  } catch {
    setTimeout(() => void waitUntilReachable(), 2000);
  }
}

reachable.watch((yes) => {
  if (!yes) setTimeout(() => void waitUntilReachable(), 2000);
});
