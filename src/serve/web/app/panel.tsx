// A side panel: beside the view on a wide screen, over its lower part on a phone. Escape closes it.
import type {ComponentChildren} from 'preact';
import {useWords} from '../i18n/words';
import {CloseIcon} from './icons';

interface Properties {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Panel({title, onClose, children}: Properties) {
  const words = useWords();
  const keys = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    onClose();
  };
  return (
    <aside class="panel" aria-label={title} onKeyDown={keys}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="quiet" onClick={onClose} aria-label={words.close} title={words.close}>
          <CloseIcon />
        </button>
      </header>
      <div class="panel-body" tabIndex={0}>
        {children}
      </div>
    </aside>
  );
}
