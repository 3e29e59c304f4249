// A message while it is edited; what was there before stays as an alternative.
import {useLayoutEffect, useState} from 'preact/hooks';
import {useWords} from '../i18n/words';
import {useGrowing} from './composer';
import {sendsOn} from './keys';

interface Properties {
  text: string;
  sends: boolean; // Enter is enough, as for one's own messages
  onDone: (text: string) => void;
  onCancel: () => void;
}

export function EditForm({text, sends, onDone, onCancel}: Properties) {
  const words = useWords();
  const [now, setNow] = useState(text);
  const area = useGrowing(now);
  // Before it is seen: what is typed at once must not go elsewhere. Afterwards, the next message is written.
  useLayoutEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(text.length, text.length);
    return () => document.querySelector<HTMLElement>('.composer textarea')?.focus();
  }, []);
  // What stands in the field, which may be newer than what was drawn.
  const done = () => {
    const written = area.current?.value ?? now;
    if (written.trim()) onDone(written);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.preventDefault();
      onCancel();
    } else if (sendsOn(event) && (sends || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      done();
    }
  };
  return (
    <form
      class="edit"
      onSubmit={(event) => {
        event.preventDefault();
        done();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={now}
        aria-label={words.edit}
        onInput={(event) => setNow(event.currentTarget.value)}
        onKeyDown={keys}
      />
      <div class="row end">
        <button type="button" class="plain" onClick={onCancel}>
          {words.cancel}
        </button>
        <button type="submit" class="strong" disabled={!now.trim()}>
          {sends ? words.send : words.save}
        </button>
      </div>
    </form>
  );
}
