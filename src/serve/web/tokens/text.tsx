// An answer as its tokens, each in the colour of its probability. Arrow keys go from token to token; the one looked at shows
// its alternatives in the panel.
import {useEffect, useMemo, useRef} from 'preact/hooks';
import {memo} from '../app/memo';
import {useWords} from '../i18n/words';
import {useSlice} from '../store/observable';
import type {Message, Token} from '../store/types';
import {label, pieces} from './bytes';
import {selected} from './selection';
import {useTokens} from './use_tokens';

const CHUNK = 128; // tokens drawn together
const STEPS = [0.9, 0.6, 0.3, 0.1, 0.02];

// 0: as good as certain .. 5: a surprise.
export function shade(logprob: number): number {
  const step = STEPS.findIndex((least) => Math.exp(logprob) >= least);
  return step < 0 ? STEPS.length : step;
}

interface ChunkProperties {
  message: string;
  tokens: Token[];
  texts: string[];
  from: number;
  until: number;
  active: number; // -1: none of these
}

const Chunk = memo(({message, tokens, texts, from, until, active}: ChunkProperties) => (
  <span>
    {tokens.slice(from, until).map((token, i) => {
      const at = from + i;
      const text = texts[at] ?? '';
      return (
        <span
          key={at}
          id={`${message}-${at}`}
          data-at={at}
          role="option"
          aria-selected={at === active}
          aria-label={text.trim() ? undefined : label(token)}
          class={`token p${shade(token.logprob)}`}
        >
          {text.endsWith('\n') ? `${text.slice(0, -1)}↵\n` : text}
        </span>
      );
    })}
  </span>
));

export function TokenText({message}: {message: Message}) {
  const words = useWords();
  const tokens = useTokens(message.id);
  const active = useSlice(selected, (one) => (one?.message === message.id ? one.index : -1));
  const texts = useMemo(() => pieces(tokens ?? []), [tokens, tokens?.length]);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active >= 0) document.getElementById(`${message.id}-${active}`)?.scrollIntoView({block: 'nearest'});
  }, [active]);
  if (!tokens) return null;
  if (!tokens.length) return <p class="soft note">{words.noTokens}</p>;
  const look = (index: number) =>
    selected.set({message: message.id, index: Math.min(tokens.length - 1, Math.max(0, index))});
  const keys = (event: KeyboardEvent) => {
    const to = {ArrowRight: active + 1, ArrowLeft: active - 1, Home: 0, End: tokens.length - 1}[event.key];
    if (to !== undefined) {
      event.preventDefault();
      look(to);
    } else if (event.key === 'Enter' || event.key === ' ' || event.key === 'ArrowDown') {
      event.preventDefault();
      if (active < 0) look(0);
      else document.querySelector<HTMLElement>('.candidates button')?.focus();
    } else if (event.key === 'Escape' && active >= 0) {
      event.preventDefault();
      selected.set(null);
    }
  };
  const click = (event: MouseEvent) => {
    const at = (event.target as HTMLElement).closest<HTMLElement>('[data-at]')?.dataset.at;
    if (at !== undefined) look(Number(at));
    list.current?.focus({preventScroll: true});
  };
  const starts = Array.from({length: Math.ceil(tokens.length / CHUNK)}, (_, i) => i * CHUNK);
  return (
    <div class="tokens">
      <div
        class="token-list"
        ref={list}
        role="listbox"
        tabIndex={0}
        aria-label={words.tokensOf}
        aria-activedescendant={active >= 0 ? `${message.id}-${active}` : undefined}
        onKeyDown={keys}
        onClick={click}
      >
        {starts.map((from) => {
          const until = Math.min(from + CHUNK, tokens.length);
          return (
            <Chunk
              key={from}
              message={message.id}
              tokens={tokens}
              texts={texts}
              from={from}
              until={until}
              active={active >= from && active < until ? active : -1}
            />
          );
        })}
      </div>
      <Legend />
    </div>
  );
}

function Legend() {
  const words = useWords();
  return (
    <p class="legend">
      <span>{words.certain}</span>
      {[...STEPS, 0].map((step, i) => (
        <span key={step} class={`token p${i}`}>
          {i < STEPS.length ? `≥ ${Math.round(step * 100)}%` : '< 2%'}
        </span>
      ))}
      <span>{words.surprising}</span>
    </p>
  );
}
