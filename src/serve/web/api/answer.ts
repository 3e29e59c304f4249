// One answer from its first piece to its last; whoever shows it is told at most thirty times a second.
import type {Message, Token, Trouble} from '../store/types';
import {joined} from '../text/split_thoughts';
import {type ChatRequest, streamChat} from './chat';
import {TroubleError} from './client';

export type Answer = Pick<Message, 'text' | 'state' | 'trouble' | 'speed'> & {tokens: Token[]};

const EVERY = 33; // milliseconds

const troubleOf = (error: unknown): Trouble =>
  error instanceof TroubleError ? error.trouble : {kind: 'server', message: String(error)};

// Goes on from `begun` and never throws: what went wrong stands in the answer.
export async function writeAnswer(
  chat: ChatRequest,
  signal: AbortSignal,
  begun: {text: string; tokens: Token[]},
  changed: (answer: Answer) => void,
): Promise<Answer> {
  let text = begun.text;
  let pieces = 0;
  let total: number | null = null;
  const tokens = [...begun.tokens];
  const end: Pick<Answer, 'state' | 'trouble'> = {state: undefined};
  const asked = performance.now();
  let first = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    timer = undefined;
    changed({text, tokens, state: 'writing'});
  };
  try {
    for await (const piece of streamChat(chat, signal)) {
      if (piece.text || piece.thought || piece.tokens.length) {
        first ||= performance.now();
        pieces += Math.max(1, piece.tokens.length);
        text = joined(text, piece);
        tokens.push(...piece.tokens);
        timer ??= setTimeout(tell, EVERY);
      }
      total = piece.total ?? total;
      if (piece.finish === 'length') end.state = 'full';
    }
  } catch (error) {
    if (signal.aborted) end.state = 'stopped';
    else end.trouble = troubleOf(error);
  }
  clearTimeout(timer);
  const done = performance.now();
  const speed = first
    ? {tokens: total ?? pieces, seconds: (done - first) / 1000, wait: (first - asked) / 1000}
    : undefined;
  return {text, tokens, ...end, speed};
}
