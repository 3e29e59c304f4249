// A block of code: its language, a button that copies it, and colours once they are there.
import {useEffect, useRef, useState} from 'preact/hooks';
import {copyText} from '../app/copy';
import {CheckIcon, CopyIcon} from '../app/icons';
import {useWords} from '../i18n/words';
import type {Span} from './spans';

const LONGEST_COLOURED = 60_000; // characters
const REDRAW = 200; // milliseconds between colourings of code that grows

const drawn = (spans: Span[]) =>
  spans.map((span, i): preact.JSX.Element | string =>
    typeof span === 'string' ? (
      span
    ) : (
      <span key={i} class={span.kind}>
        {drawn(span.parts)}
      </span>
    ),
  );

function useColours(code: string, language: string): Span[] | null {
  const [colours, setColours] = useState<{code: string; spans: Span[]} | null>(null);
  const last = useRef(0);
  useEffect(() => {
    if (!language || code.length > LONGEST_COLOURED) return;
    const timer = setTimeout(
      () => {
        last.current = Date.now();
        void import('./highlight').then(({highlight}) => {
          const spans = highlight(code, language);
          setColours(spans && {code, spans});
        });
      },
      Math.max(0, last.current + REDRAW - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [code, language]);
  if (!colours || !code.startsWith(colours.code)) return null;
  return [...colours.spans, code.slice(colours.code.length)];
}

export function Code({code, language}: {code: string; language: string}) {
  const words = useWords();
  const [copied, setCopied] = useState(false);
  const colours = useColours(code, language);
  const copy = async () => {
    await copyText(code);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <figure class="code">
      <figcaption>
        <span>{language}</span>
        <button type="button" class="quiet" onClick={() => void copy()} aria-label={words.copyCode}>
          {copied ? <CheckIcon /> : <CopyIcon />}
          {copied ? words.copied : words.copy}
        </button>
      </figcaption>
      <pre tabIndex={0} aria-label={words.code(language)}>
        <code>{colours ? drawn(colours) : code}</code>
      </pre>
    </figure>
  );
}
