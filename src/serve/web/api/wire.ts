// What stands in the events of a streamed answer, of a chat or of a continued text, as pieces.
import type {Candidate, Token} from '../store/types';
import {TroubleError} from './client';

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

interface Chunk<Choice> {
  error?: {message?: string};
  usage?: {completion_tokens?: number} | null;
  choices?: Choice[];
}

interface ChatChoice {
  delta?: {content?: string | null; reasoning_content?: string | null};
  finish_reason?: string | null;
  logprobs?: {content?: WireToken[] | null} | null;
}

interface TextChoice {
  text?: string;
  finish_reason?: string | null;
  logprobs?: {tokens: string[]; token_logprobs: number[]; top_logprobs: (Record<string, number> | null)[]} | null;
}

const encoder = new TextEncoder();

const candidate = ({token, bytes, logprob}: WireToken): Candidate => ({
  text: token,
  bytes: bytes ?? [...encoder.encode(token)],
  logprob,
});

function parse<Choice>(data: string): Chunk<Choice> {
  const chunk = JSON.parse(data) as Chunk<Choice>;
  if (chunk.error) throw new TroubleError({kind: 'server', message: chunk.error.message ?? ''});
  return chunk;
}

export function chatPiece(data: string): Piece {
  const {choices, usage} = parse<ChatChoice>(data);
  const choice = choices?.[0];
  return {
    text: choice?.delta?.content ?? '',
    thought: choice?.delta?.reasoning_content ?? '',
    tokens: (choice?.logprobs?.content ?? []).map((token) => ({
      ...candidate(token),
      top: (token.top_logprobs ?? []).map(candidate),
    })),
    finish: choice?.finish_reason ?? null,
    total: usage?.completion_tokens ?? null,
  };
}

export function textPiece(data: string): Piece {
  const {choices, usage} = parse<TextChoice>(data);
  const choice = choices?.[0];
  const told = choice?.logprobs;
  const top = (place: number): Candidate[] =>
    Object.entries(told?.top_logprobs[place] ?? {})
      .map(([token, logprob]) => candidate({token, logprob}))
      .sort((a, b) => b.logprob - a.logprob);
  const tokens = (told?.tokens ?? []).map((token, i) => ({
    ...candidate({token, logprob: told?.token_logprobs[i] ?? 0}),
    top: top(i),
  }));
  return {
    text: choice?.text ?? '',
    thought: '',
    tokens,
    finish: choice?.finish_reason ?? null,
    total: usage?.completion_tokens ?? null,
  };
}
