// The tree of a conversation's messages, without the page around it. Every change returns a new conversation; messages that
// did not change keep their identity.
import type {Conversation, Message} from './types';

export const ROOT = 'root';
const key = (parent: string | null): string => parent ?? ROOT;

// The messages below `parent`, oldest first.
export function children(conversation: Conversation, parent: string | null): Message[] {
  return Object.values(conversation.messages)
    .filter((message) => message.parent === parent)
    .sort((a, b) => a.made - b.made || (a.id < b.id ? -1 : 1));
}

// The message and its alternatives.
export function siblings(conversation: Conversation, id: string): Message[] {
  const message = conversation.messages[id];
  return message ? children(conversation, message.parent) : [];
}

// What is shown, from the first message to the last. The newest child where none was chosen.
export function shownPath(conversation: Conversation): Message[] {
  const below = new Map<string | null, Message[]>();
  for (const message of Object.values(conversation.messages)) {
    const list = below.get(message.parent);
    if (list) list.push(message);
    else below.set(message.parent, [message]);
  }
  const shown = (parent: string | null): Message | undefined => {
    const options = below.get(parent) ?? [];
    const chosen = conversation.chosen[key(parent)];
    return (
      options.find(({id}) => id === chosen) ??
      options.reduce<Message | undefined>((newest, m) => (newest && newest.made > m.made ? newest : m), undefined)
    );
  };
  const path: Message[] = [];
  const seen = new Set<string>();
  for (let next = shown(null); next && !seen.has(next.id); next = shown(next.id)) {
    seen.add(next.id);
    path.push(next);
  }
  return path;
}

// From the first message down to this one.
export function pathTo(conversation: Conversation, id: string | null): Message[] {
  const path: Message[] = [];
  const seen = new Set<string>();
  for (let at = id; at !== null && !seen.has(at);) {
    seen.add(at);
    const message: Message | undefined = conversation.messages[at];
    if (!message) break;
    path.unshift(message);
    at = message.parent;
  }
  return path;
}

// Adds a message and shows it.
export function add(conversation: Conversation, message: Message): Conversation {
  return {
    ...conversation,
    changed: Math.max(conversation.changed, message.made),
    messages: {...conversation.messages, [message.id]: message},
    chosen: {...conversation.chosen, [key(message.parent)]: message.id},
  };
}

export function change(conversation: Conversation, id: string, part: Partial<Message>): Conversation {
  const message = conversation.messages[id];
  if (!message) return conversation;
  return {...conversation, messages: {...conversation.messages, [id]: {...message, ...part}}};
}

// Shows the alternative `steps` further on (back, where negative); nothing beyond the ends.
export function turn(conversation: Conversation, id: string, steps: number): Conversation {
  const all = siblings(conversation, id);
  const next = all[all.findIndex((message) => message.id === id) + steps];
  if (!next) return conversation;
  return {...conversation, chosen: {...conversation.chosen, [key(next.parent)]: next.id}};
}
