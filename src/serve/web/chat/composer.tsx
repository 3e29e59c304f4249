// Where the next message is written. Enter sends (never while a syllable is being composed), Shift+Enter begins a new line.
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {SendIcon, StopIcon} from '../app/icons';
import {useWords} from '../i18n/words';
import type {Message} from '../store/types';
import {editing} from './editing';
import {stop} from './generation';
import {sendsOn} from './keys';

// What was begun and not sent, by conversation.
const drafts = new Map<string, string>();

interface Properties {
  id: string;
  busy: string | null;
  path: Message[];
  onSend: (text: string) => void;
}

export function useGrowing(text: string) {
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    if (!area.current) return;
    area.current.style.height = 'auto';
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [text]);
  return area;
}

export function Composer({id, busy, path, onSend}: Properties) {
  const words = useWords();
  const [text, setText] = useState(drafts.get(id) ?? '');
  const area = useGrowing(text);
  useEffect(() => {
    if (matchMedia('(hover: hover)').matches) area.current?.focus(); // on a phone it would open the keyboard
  }, []);
  const write = (next: string) => {
    drafts.set(id, next);
    setText(next);
  };
  const send = () => {
    const written = area.current?.value ?? text; // it may be newer than what was drawn
    if (!written.trim() || busy) return;
    onSend(written);
    write('');
  };
  const keys = (event: KeyboardEvent) => {
    if (sendsOn(event)) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && !text) {
      const last = path.findLast(({role}) => role === 'user');
      if (last) editing.set(last.id);
    }
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={text}
        placeholder={words.placeholder}
        aria-label={words.placeholder}
        autocomplete="off"
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={keys}
      />
      {busy ? (
        <button
          type="button"
          class="round"
          onClick={() => stop(busy)}
          aria-label={words.stop}
          title={`${words.stop} (Esc)`}
        >
          <StopIcon />
        </button>
      ) : (
        <button
          type="submit"
          class="round"
          disabled={!text.trim()}
          aria-label={words.send}
          title={`${words.send} (Enter)`}
        >
          <SendIcon />
        </button>
      )}
    </form>
  );
}
