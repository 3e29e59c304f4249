// The models that the server offers.
import {Observable} from '../store/observable';
import type {Trouble} from '../store/types';
import {getJson, reachable, request, TroubleError} from './client';

export interface Models {
  names: string[];
  adapters: Record<string, string[]>; // of each model, by their own names
  loading: boolean;
  trouble: Trouble | null;
}

export const models = new Observable<Models>({names: [], adapters: {}, loading: true, trouble: null});

interface Entry {
  id: string;
  chats: boolean | null; // null: the server has not loaded it yet
  adapters?: string[];
}

const chats = new Map<string, boolean>();

function learn({id, chats: does}: Entry): void {
  if (does !== null) chats.set(id, does);
}

// Whether the model knows chats, or only continues texts. The server loads it where it must to know.
export async function knowsChats(model: string, signal: AbortSignal): Promise<boolean> {
  if (!chats.has(model)) learn((await (await request('/v1/models/load', {model}, signal)).json()) as Entry);
  return chats.get(model) ?? true;
}

export async function loadModels(): Promise<void> {
  try {
    const {data} = await getJson<{data: Entry[]}>('/v1/models');
    data.forEach(learn);
    const adapters = Object.fromEntries(data.map((one) => [one.id, one.adapters ?? []]));
    models.set({names: data.map(({id}) => id), adapters, loading: false, trouble: null});
  } catch (error) {
    const trouble: Trouble = error instanceof TroubleError ? error.trouble : {kind: 'server', message: String(error)};
    models.update((now) => ({...now, loading: false, trouble}));
  }
}

reachable.watch((yes) => {
  if (yes && models.get().trouble) void loadModels();
});
