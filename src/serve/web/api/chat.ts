// A chat's answer, as a stream of pieces.
import type {Candidate, Sampling, Token, Trouble} from '../store/types';
import {request, TroubleError} from './client';
import {SseParser} from './sse';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  sampling: Sampling;
  probabilities: boolean;
  continues?: boolean; // the last message is an answer to be continued
  conversation?: string; // so that a server of several replicas can send it where its past is cached
}

export interface Piece {
  text: string;
  thought: string; // of a model that reasons before it answers
  tokens: Token[];
  finish: string | null;
  total: number | null; // tokens of the whole answer, with the last piece
}

interface WireToken {
  token: string;
  bytes?: number[] | null;
  logprob: number;
  top_logprobs?: WireToken[];
}

interface WireChunk {
  error?: {message?: string};
  usage?: {completion_tokens?: number} | null;
  choices?: {delta?: {content?: string | null; reasoning_content?: string | null}; finish_reason?: string | null; logprobs?: {content?: WireToken[] | null} | null}[];
}

const TOP = 20; // as many as the API has
const encoder = new TextEncoder();

const candidate = ({token, bytes, logprob}: WireToken): Candidate => ({
  text: token,
  bytes: bytes ?? [...encoder.encode(token)],
  logprob,
});

function body({model, messages, sampling, probabilities, continues, conversation}: ChatRequest): object {
  const set = Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== null));
  return {
    model,
    messages,
    ...set,
    stream: true,
    stream_options: {include_usage: true},
    ...(probabilities ? {logprobs: true, top_logprobs: TOP} : {}),
    ...(continues ? {continue_final_message: true, add_generation_prompt: false} : {}),
    ...(conversation ? {user: conversation} : {}),
  };
}

function piece(data: string): Piece {
  const chunk = JSON.parse(data) as WireChunk;
  if (chunk.error) throw new TroubleError({kind: 'server', message: chunk.error.message ?? ''});
  const choice = chunk.choices?.[0];
  const tokens = (choice?.logprobs?.content ?? []).map((token) => ({...candidate(token), top: (token.top_logprobs ?? []).map(candidate)}));
  return {
    text: choice?.delta?.content ?? '',
    thought: choice?.delta?.reasoning_content ?? '',
    tokens,
    finish: choice?.finish_reason ?? null,
    total: chunk.usage?.completion_tokens ?? null,
  };
}

const brokenOff = (): TroubleError => new TroubleError({kind: 'broken', message: ''} satisfies Trouble);

// Some models cannot tell their probabilities: those answer without them.
async function begin(chat: ChatRequest, signal: AbortSignal): Promise<Response> {
  try {
    return await request('/v1/chat/completions', body(chat), signal);
  } catch (error) {
    const field = error instanceof TroubleError ? error.trouble.param : undefined;
    if (!chat.probabilities || !field?.includes('logprobs')) throw error;
    return request('/v1/chat/completions', body({...chat, probabilities: false}), signal);
  }
}

export async function* streamChat(chat: ChatRequest, signal: AbortSignal): AsyncGenerator<Piece> {
  const response = await begin(chat, signal);
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
        yield piece(data);
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined); // tells the server that nobody listens any more
  }
}
