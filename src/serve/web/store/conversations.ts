// All conversations, in memory and in the browser's database. What is written while an answer grows is gathered.
import * as db from './db';
import {Observable} from './observable';
import {preferences} from './preferences';
import {type Conversation, newId} from './types';

export const conversations = new Observable<ReadonlyMap<string, Conversation>>(new Map());
export const savingFailed = new Observable(false);
const SAVE_AFTER = 500; // milliseconds
const waiting = new Map<string, ReturnType<typeof setTimeout>>();
// Other tabs of this page learn of what this one saved.
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('malssi') : undefined;

export async function load(): Promise<void> {
  const all = await db.readAll<Conversation>('conversations');
  conversations.set(new Map(all.map((one) => [one.id, settled(one)])));
  channel?.addEventListener('message', ({data}) => void reload(String(data)));
}

// An answer that was being written when the page was closed was stopped.
function settled(one: Conversation): Conversation {
  const messages = Object.fromEntries(
    Object.entries(one.messages).map(([id, m]) => [id, m.state === 'writing' ? {...m, state: 'stopped' as const} : m]),
  );
  return {...one, messages};
}

async function reload(id: string): Promise<void> {
  const writing = Object.values(conversations.get().get(id)?.messages ?? {}).some(({state}) => state === 'writing');
  if (writing) return;
  const one = await db.read<Conversation>('conversations', id);
  conversations.update((all) => {
    const next = new Map(all);
    if (one) next.set(id, one);
    else next.delete(id);
    return next;
  });
}

export function fresh(model: string | null): Conversation {
  const {system, sampling} = preferences.get();
  const now = Date.now();
  return {id: newId(), title: '', made: now, changed: now, model, system, sampling, messages: {}, chosen: {}};
}

export function keep(one: Conversation): void {
  conversations.update((all) => new Map(all).set(one.id, one));
  clearTimeout(waiting.get(one.id));
  waiting.set(
    one.id,
    setTimeout(() => void save(one.id), SAVE_AFTER),
  );
}

export function change(id: string, edit: (one: Conversation) => Conversation): void {
  const one = conversations.get().get(id);
  if (one) keep(edit(one));
}

async function save(id: string): Promise<void> {
  waiting.delete(id);
  const one = conversations.get().get(id);
  if (!one) return;
  try {
    await db.put('conversations', id, one);
    savingFailed.set(false);
    channel?.postMessage(id);
  } catch {
    savingFailed.set(true); // the disk is full, or the browser forbids it
  }
}

export function saveNow(): void {
  for (const [id, timer] of waiting) {
    clearTimeout(timer);
    void save(id);
  }
}

export async function remove(id: string): Promise<void> {
  const one = conversations.get().get(id);
  clearTimeout(waiting.get(id));
  waiting.delete(id);
  conversations.update((all) => new Map([...all].filter(([other]) => other !== id)));
  await db.remove('conversations', id);
  for (const message of Object.keys(one?.messages ?? {})) await db.remove('tokens', message);
  channel?.postMessage(id);
}

// Newest first; with the words of a search, those whose title or messages have all of them.
export function listed(all: ReadonlyMap<string, Conversation>, search: string): Conversation[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (one: Conversation) => {
    const text = [one.title, ...Object.values(one.messages).map((message) => message.text)].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return [...all.values()].filter((one) => !words.length || has(one)).sort((a, b) => b.changed - a.changed);
}
