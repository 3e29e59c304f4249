// Asks for the server's key. It stays in this tab and is forgotten with it.
import {useState} from 'preact/hooks';
import {keyWanted, setKey} from '../api/client';
import {loadModels} from '../api/models';
import {useWords} from '../i18n/words';
import {Dialog} from './dialog';

export function KeyDialog() {
  const words = useWords();
  const [key, write] = useState('');
  const send = (event: Event) => {
    event.preventDefault();
    if (!key.trim()) return;
    setKey(key.trim());
    void loadModels();
  };
  return (
    <Dialog title={words.enterKey} onClose={() => keyWanted.set(false)}>
      <p class="soft">{words.keyNote}</p>
      <form class="row" onSubmit={send}>
        <input
          class="wide-field"
          type="password"
          autocomplete="off"
          value={key}
          aria-label={words.key}
          onInput={(event) => write(event.currentTarget.value)}
        />
        <button type="submit" class="strong" disabled={!key.trim()}>
          {words.save}
        </button>
      </form>
    </Dialog>
  );
}
