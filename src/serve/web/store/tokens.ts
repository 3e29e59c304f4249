// The tokens of answers, with their probabilities: growing ones in memory, finished ones in the database.
import * as db from './db';
import {Observable} from './observable';
import type {Token} from './types';

// Rises whenever the tokens of a message in memory changed.
export const tokensChanged = new Observable(0);
const inMemory = new Map<string, Token[]>();

export function setTokens(message: string, tokens: Token[]): void {
  inMemory.set(message, tokens);
  tokensChanged.update((n) => n + 1);
}

export async function saveTokens(message: string): Promise<void> {
  const tokens = inMemory.get(message);
  if (tokens?.length) await db.put('tokens', message, tokens).catch(() => undefined); // a full disk costs the view, not the text
}

export const tokensInMemory = (message: string): Token[] | undefined => inMemory.get(message);

export async function readTokens(message: string): Promise<Token[]> {
  return inMemory.get(message) ?? (await db.read<Token[]>('tokens', message)) ?? [];
}
