// The line above a view: on a phone with the button that opens the list of conversations.
import type {ComponentChildren} from 'preact';
import {useWords} from '../i18n/words';
import {MenuIcon} from './icons';
import {sidebarOpen} from './sidebar_state';

export function Header({title, children}: {title: ComponentChildren; children?: ComponentChildren}) {
  const words = useWords();
  return (
    <header class="bar">
      <button
        type="button"
        class="quiet menu"
        onClick={() => sidebarOpen.update((open) => !open)}
        aria-label={words.menu}
        title={words.menu}
      >
        <MenuIcon />
      </button>
      <div class="title">{title}</div>
      <div class="row">{children}</div>
    </header>
  );
}
