// Keys that work anywhere in the page, and their list.
import {useEffect} from 'preact/hooks';
import {useWords} from '../i18n/words';
import {go} from './route';
import {sidebarOpen} from './sidebar_state';

export function useShortcuts(): void {
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      const command = event.ctrlKey || event.metaKey;
      if (command && event.shiftKey && event.key.toLowerCase() === 'o') {
        event.preventDefault();
        go({view: 'chat', id: null});
      } else if (command && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        if (!matchMedia('(min-width: 60rem)').matches) sidebarOpen.set(true);
        requestAnimationFrame(() => document.getElementById('search')?.focus());
      } else if (event.key === '/' && !/^(input|textarea|select)$/i.test(document.activeElement?.tagName ?? '')) {
        event.preventDefault();
        document.querySelector<HTMLElement>('.composer textarea')?.focus();
      }
    };
    addEventListener('keydown', keys);
    return () => removeEventListener('keydown', keys);
  }, []);
}

export function Shortcuts() {
  const words = useWords();
  return (
    <section>
      <h3>{words.keys}</h3>
      <dl class="keys">
        {words.keyList.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
