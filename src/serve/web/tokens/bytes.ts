// Tokens as text. A token of a byte-level tokenizer may hold part of a character: its neighbours complete it.
import type {Candidate} from '../store/types';

const joined = (tokens: Pick<Candidate, 'bytes'>[]): Uint8Array => Uint8Array.from(tokens.flatMap(({bytes}) => bytes));

export const textOf = (tokens: Pick<Candidate, 'bytes'>[]): string => new TextDecoder().decode(joined(tokens));

// Whether the tokens end where a character ends.
export function endsWhole(tokens: Pick<Candidate, 'bytes'>[]): boolean {
  const tail = tokens
    .slice(-8)
    .flatMap(({bytes}) => bytes)
    .slice(-4);
  const lead = tail.findLastIndex((byte) => (byte & 0xc0) !== 0x80);
  if (lead < 0) return true; // no UTF-8 at all
  const first = tail[lead] ?? 0;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return tail.length - lead >= length;
}

// What each token adds to the text; "·" for one whose character is completed later.
export function pieces(tokens: Pick<Candidate, 'bytes'>[]): string[] {
  const decoder = new TextDecoder();
  return tokens.map(({bytes}) => decoder.decode(Uint8Array.from(bytes), {stream: true}) || (bytes.length ? '·' : ''));
}

// A single token to read: blanks made visible, parts of characters as their bytes.
export function label({bytes, text}: Pick<Candidate, 'bytes' | 'text'>): string {
  let whole: string;
  try {
    whole = new TextDecoder('utf-8', {fatal: true}).decode(Uint8Array.from(bytes));
  } catch {
    return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
  }
  return (whole || text).replace(/ /g, '␣').replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/\r/g, '␍');
}

// Tokens that end an answer have a name and no text of their own.
export const endsAnswer = ({text}: Pick<Candidate, 'text'>): boolean =>
  /^(<\|[^|]*\|>|<\/s>|<eos>|<end_of_turn>|\[\|endofturn\|\])$/.test(text);
