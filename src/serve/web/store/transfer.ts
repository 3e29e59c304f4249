// Conversations as a file: written whole, and read with every field checked, since a file may come from anywhere.
import {shownPath} from './tree';
import {type Conversation, DEFAULT_SAMPLING, type Message, newId, type Sampling} from './types';

const FORMAT = 'malssi.conversations';

export function exportJson(all: Conversation[]): string {
  return JSON.stringify({format: FORMAT, version: 1, conversations: all}, null, 1);
}

// One conversation to read elsewhere: what is shown of it, as Markdown.
export function exportMarkdown(one: Conversation): string {
  const parts = shownPath(one).map(
    ({role, text, model}) => `## ${role === 'user' ? 'You' : (model ?? 'Assistant')}\n\n${text}\n`,
  );
  return [`# ${one.title}\n`, ...(one.system ? [`> ${one.system.replaceAll('\n', '\n> ')}\n`] : []), ...parts].join(
    '\n',
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const time = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : Date.now());

function sampling(value: unknown): Sampling {
  const out = {...DEFAULT_SAMPLING};
  if (!isObject(value)) return out;
  for (const name of Object.keys(out) as (keyof Sampling)[]) {
    const found = value[name];
    if (typeof found === 'number' && Number.isFinite(found)) out[name] = found;
  }
  return out;
}

function adapters(value: unknown): Record<string, number> {
  const all = Object.entries(isObject(value) ? value : {});
  return Object.fromEntries(all.filter((one): one is [string, number] => Number.isFinite(one[1])));
}

function message(value: unknown): Message | null {
  if (!isObject(value) || typeof value.text !== 'string') return null;
  if (value.role !== 'user' && value.role !== 'assistant') return null;
  const out: Message = {
    id: text(value.id),
    parent: value.parent === null ? null : text(value.parent),
    role: value.role,
    text: value.text,
    made: time(value.made),
  };
  if (typeof value.model === 'string') out.model = value.model;
  return out.id ? out : null;
}

// New names for everything, so that what is imported twice stands twice and overwrites nothing.
function conversation(value: unknown): Conversation | null {
  if (!isObject(value) || !isObject(value.messages)) return null;
  const read = Object.values(value.messages)
    .map(message)
    .filter((one) => one !== null);
  const names = new Map(read.map(({id}) => [id, newId()]));
  const renamed = (id: unknown): string | undefined => names.get(text(id));
  const messages: Record<string, Message> = {};
  for (const one of read) {
    const id = names.get(one.id);
    const parent = one.parent === null ? null : names.get(one.parent);
    if (id && parent !== undefined) messages[id] = {...one, id, parent};
  }
  const chosen: Record<string, string> = {};
  for (const [parent, child] of Object.entries(isObject(value.chosen) ? value.chosen : {})) {
    const from = parent === 'root' ? 'root' : renamed(parent);
    const to = renamed(child);
    if (from && to) chosen[from] = to;
  }
  return {
    id: newId(),
    title: text(value.title).slice(0, 200),
    made: time(value.made),
    changed: time(value.changed),
    model: text(value.model) || null,
    system: text(value.system),
    sampling: sampling(value.sampling),
    adapters: adapters(value.adapters),
    messages,
    chosen,
  };
}

// Throws where the text is no such file.
export function importJson(source: string): Conversation[] {
  const value: unknown = JSON.parse(source);
  if (!isObject(value) || value.format !== FORMAT || !Array.isArray(value.conversations))
    throw new Error('not a file of conversations');
  return value.conversations.map(conversation).filter((one) => one !== null);
}
