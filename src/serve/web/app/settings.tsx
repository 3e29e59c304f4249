// Preferences: language, colours, the key, and the conversations as a file.
import {useRef, useState} from 'preact/hooks';
import {keyWanted} from '../api/client';
import {useWords} from '../i18n/words';
import {conversations, keep, remove} from '../store/conversations';
import {Observable, useValue} from '../store/observable';
import {prefer, preferences} from '../store/preferences';
import {exportJson, exportMarkdown, importJson} from '../store/transfer';
import {Dialog} from './dialog';
import {download} from './files';
import {go, route} from './route';
import {Shortcuts} from './shortcuts';

export const settingsOpen = new Observable(false);

export function Settings() {
  const words = useWords();
  const {language, theme} = useValue(preferences);
  const close = () => settingsOpen.set(false);
  return (
    <Dialog title={words.preferences} onClose={close}>
      <Choice
        name={words.language}
        value={language}
        options={[
          ['auto', words.automatic],
          ['ko', '한국어'],
          ['en', 'English'],
        ]}
        onPick={(value) => prefer({language: value})}
      />
      <Choice
        name={words.colours}
        value={theme}
        options={[
          ['system', words.automatic],
          ['light', words.light],
          ['dark', words.dark],
        ]}
        onPick={(value) => prefer({theme: value})}
      />
      <div class="row spread">
        <span>{words.key}</span>
        <button
          type="button"
          class="plain"
          onClick={() => {
            close();
            keyWanted.set(true);
          }}
        >
          {words.enterKey}
        </button>
      </div>
      <Transfer />
      <Shortcuts />
    </Dialog>
  );
}

interface ChoiceProperties<T extends string> {
  name: string;
  value: T;
  options: [T, string][];
  onPick: (value: T) => void;
}

function Choice<T extends string>({name, value, options, onPick}: ChoiceProperties<T>) {
  return (
    <fieldset class="choice">
      <legend>{name}</legend>
      {options.map(([option, text]) => (
        <label key={option}>
          <input type="radio" name={name} value={option} checked={option === value} onChange={() => onPick(option)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Transfer() {
  const words = useWords();
  const all = useValue(conversations);
  const now = useValue(route);
  const file = useRef<HTMLInputElement>(null);
  const [told, tell] = useState('');
  const open = now.view === 'chat' && now.id ? all.get(now.id) : undefined;
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    try {
      const found = importJson(await chosen.text());
      found.forEach(keep);
      tell(words.imported(found.length));
    } catch {
      tell(words.notImported);
    }
  };
  const dropAll = () => {
    if (!confirm(words.sureDeleteAll(all.size))) return;
    for (const id of all.keys()) void remove(id);
    go({view: 'chat', id: null});
  };
  return (
    <section>
      <h3>
        {words.conversations} <small class="soft">{all.size}</small>
      </h3>
      <p class="soft small">{words.keptHere}</p>
      <div class="row wrap">
        <button
          type="button"
          class="plain"
          disabled={!all.size}
          onClick={() => download('malssi-conversations.json', exportJson([...all.values()]))}
        >
          {words.exportAll}
        </button>
        {open && (
          <button
            type="button"
            class="plain"
            onClick={() => download(`${open.title || 'malssi'}.md`, exportMarkdown(open))}
          >
            {words.exportOne}
          </button>
        )}
        <button type="button" class="plain" onClick={() => file.current?.click()}>
          {words.import}
        </button>
        <button type="button" class="plain danger" disabled={!all.size} onClick={dropAll}>
          {words.deleteAll}
        </button>
        <input
          ref={file}
          type="file"
          accept=".json,application/json"
          class="hidden"
          tabIndex={-1}
          aria-label={words.import}
          onChange={(event) => void take(event.currentTarget.files?.[0])}
        />
      </div>
      <p role="status" class="small">
        {told}
      </p>
    </section>
  );
}
