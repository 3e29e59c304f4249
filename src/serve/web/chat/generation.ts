// Asks for answers and writes them into their conversations, whichever of them is shown meanwhile.
import {writeAnswer} from '../api/answer';
import {models} from '../api/models';
import type {ChatMessage} from '../api/chat';
import {change, conversations, saveNow} from '../store/conversations';
import {Observable} from '../store/observable';
import {preferences} from '../store/preferences';
import {saveTokens, setTokens} from '../store/tokens';
import * as tree from '../store/tree';
import {type Conversation, type Message, newId, type Token} from '../store/types';
import {splitThoughts} from '../text/split_thoughts';

// The answers being written, by message.
export const running = new Observable<ReadonlyMap<string, AbortController>>(new Map());

// The model a conversation speaks to: its own where the server still has it.
export function modelOf(conversation: Conversation): string | null {
  const {names} = models.get();
  const wanted = conversation.model ?? preferences.get().model;
  return wanted && names.includes(wanted) ? wanted : (names[0] ?? wanted);
}

// What is sent: the system prompt, then the messages down to `last`; failed answers without words are left out.
export function chatMessages(conversation: Conversation, last: string | null): ChatMessage[] {
  const path = tree.pathTo(conversation, last).filter(({role, text}) => role === 'user' || text);
  const system: ChatMessage[] = conversation.system.trim() ? [{role: 'system', content: conversation.system}] : [];
  return [
    ...system,
    ...path.map(({role, text}) => ({role, content: role === 'user' ? text : splitThoughts(text).answer})),
  ];
}

// The conversation's weights of those adapters that its model has.
function adaptersOf({adapters = {}}: Conversation, model: string): Record<string, number> {
  const known = models.get().adapters[model] ?? [];
  return Object.fromEntries(Object.entries(adapters).filter(([name]) => known.includes(name)));
}

async function write(
  id: string,
  message: Message,
  begun: {text: string; tokens: Token[]},
  continues: boolean,
): Promise<void> {
  const conversation = conversations.get().get(id);
  if (!conversation) return;
  const controller = new AbortController();
  running.update((all) => new Map(all).set(message.id, controller));
  const messages = chatMessages(conversation, message.parent);
  if (continues) messages.push({role: 'assistant', content: begun.text});
  const request = {
    model: message.model ?? '',
    messages,
    sampling: conversation.sampling,
    adapters: adaptersOf(conversation, message.model ?? ''),
    probabilities: preferences.get().probabilities,
    continues,
    conversation: id,
  };
  const {tokens, ...end} = await writeAnswer(request, controller.signal, begun, (answer) => {
    setTokens(message.id, answer.tokens);
    change(id, (one) => tree.change(one, message.id, {text: answer.text}));
  });
  setTokens(message.id, tokens);
  change(id, (one) => ({...tree.change(one, message.id, end), changed: Date.now()}));
  running.update((all) => new Map([...all].filter(([other]) => other !== message.id)));
  saveNow();
  await saveTokens(message.id);
}

function begin(id: string, parent: string | null, begun: {text: string; tokens: Token[]}, continues: boolean): void {
  const conversation = conversations.get().get(id);
  if (!conversation) return;
  const model = modelOf(conversation);
  const message: Message = {
    id: newId(),
    parent,
    role: 'assistant',
    text: begun.text,
    made: Date.now(),
    state: 'writing',
    model: model ?? '',
  };
  if (begun.tokens.length) setTokens(message.id, begun.tokens);
  change(id, (one) => tree.add(one, message));
  void write(id, message, begun, continues);
}

// A new answer to the message `parent`, beside those there are.
export const answer = (id: string, parent: string | null): void => begin(id, parent, {text: '', tokens: []}, false);

// An alternative to an answer that begins with these tokens and goes on from there.
export const branchFrom = (id: string, parent: string | null, text: string, tokens: Token[]): void =>
  begin(id, parent, {text, tokens}, true);

export function ask(id: string, parent: string | null, text: string): void {
  const message: Message = {id: newId(), parent, role: 'user', text, made: Date.now()};
  change(id, (one) => {
    const title = one.title || (text.trim().split('\n')[0] ?? '').slice(0, 60);
    return tree.add({...one, title, model: modelOf(one)}, message);
  });
  answer(id, message.id);
  saveNow();
}

export const stop = (message: string): void => running.get().get(message)?.abort();

// The answer being written in the part of the conversation that is shown.
export function writingIn(path: Message[], all: ReadonlyMap<string, AbortController>): string | null {
  return path.find(({id}) => all.has(id))?.id ?? null;
}
