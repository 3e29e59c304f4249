import {useEffect, useState} from 'preact/hooks';
import {useValue} from '../store/observable';
import {readTokens, tokensChanged, tokensInMemory} from '../store/tokens';
import type {Token} from '../store/types';

// A message's tokens: those in memory as they grow, else the stored ones; null until they are read.
export function useTokens(message: string): Token[] | null {
  useValue(tokensChanged);
  const [stored, setStored] = useState<Token[] | null>(null);
  useEffect(() => {
    let wanted = true;
    void readTokens(message).then((tokens) => wanted && setStored(tokens));
    return () => void (wanted = false);
  }, [message]);
  return tokensInMemory(message) ?? stored;
}
