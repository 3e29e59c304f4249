// A chat's answer, as a stream of pieces. A base model, which knows no chats, continues the text of the messages instead.
import type {Sampling} from '../store/types';
import {request, TroubleError} from './client';
import {knowsChats} from './models';
import {SseParser} from './sse';
import {chatPiece, type Piece, textPiece} from './wire';

export type {Piece} from './wire';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  sampling: Sampling;
  adapters?: Record<string, number>;
  probabilities: boolean;
  continues?: boolean; // the last message is an answer to be continued
  conversation?: string; // so that a server of several replicas can send it where its past is cached
}

interface Begun {
  response: Response;
  read: (data: string) => Piece;
}

const TOP = 20; // as many as the API has
// Models that refused to tell probabilities, so that they are not asked again.
const silent = new Set<string>();

function common({model, sampling, adapters = {}}: ChatRequest): object {
  const set = Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== null));
  const mix = Object.keys(adapters).length ? {adapters} : {};
  return {model, ...set, ...mix, stream: true, stream_options: {include_usage: true}};
}

function askChat(chat: ChatRequest, probabilities: boolean): {path: string; body: object} {
  return {
    path: '/v1/chat/completions',
    body: {
      ...common(chat),
      messages: chat.messages,
      ...(probabilities ? {logprobs: true, top_logprobs: TOP} : {}),
      ...(chat.continues ? {continue_final_message: true, add_generation_prompt: false} : {}),
    },
  };
}

// A continued text is one whole: the answer so far follows its question directly.
export function continuedText(messages: ChatMessage[], continues: boolean): string {
  const texts = messages.map(({content}) => content);
  const begun = continues ? (texts.pop() ?? '') : '';
  return texts.join('\n\n') + begun;
}

function askText(chat: ChatRequest, probabilities: boolean): {path: string; body: object} {
  return {
    path: '/v1/completions',
    body: {
      ...common(chat),
      prompt: continuedText(chat.messages, chat.continues ?? false),
      ...(probabilities ? {logprobs: TOP} : {}),
    },
  };
}

const refusesProbabilities = (error: unknown): boolean =>
  error instanceof TroubleError && error.trouble.kind === 'refused' && !!error.trouble.param?.includes('logprobs');

async function begin(chat: ChatRequest, signal: AbortSignal): Promise<Begun> {
  const chats = await knowsChats(chat.model, signal);
  for (;;) {
    const wanted = chat.probabilities && !silent.has(chat.model);
    const {path, body} = (chats ? askChat : askText)(chat, wanted);
    try {
      const response = await request(
        path,
        body,
        signal,
        chat.conversation ? {'x-conversation-id': chat.conversation} : {},
      );
      return {response, read: chats ? chatPiece : textPiece};
    } catch (error) {
      if (!wanted || !refusesProbabilities(error)) throw error;
      silent.add(chat.model);
    }
  }
}

const brokenOff = (): TroubleError => new TroubleError({kind: 'broken', message: ''});

export async function* streamChat(chat: ChatRequest, signal: AbortSignal): AsyncGenerator<Piece> {
  const {response, read} = await begin(chat, signal);
  if (!response.body) throw brokenOff();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new SseParser();
  try {
    for (;;) {
      const {value, done} = await reader.read().catch((error: unknown) => {
        throw signal.aborted ? error : brokenOff();
      });
      if (done) throw brokenOff(); // "[DONE]" did not come
      for (const data of parser.push(value)) {
        if (data === '[DONE]') return;
        yield read(data);
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined); // tells the server that nobody listens any more
  }
}
