// The whole page: the sidebar, one view, and what may lie over them.
import {useEffect} from 'preact/hooks';
import {keyWanted, reachable} from '../api/client';
import {loadModels} from '../api/models';
import {ChatView} from '../chat/view';
import {CompareView} from '../compare/view';
import {useLanguage, useWords} from '../i18n/words';
import {RunsView} from '../runs/view';
import {savingFailed} from '../store/conversations';
import {useSlice, useValue} from '../store/observable';
import {preferences} from '../store/preferences';
import {KeyDialog} from './key_dialog';
import {route} from './route';
import {Settings, settingsOpen} from './settings';
import {useShortcuts} from './shortcuts';
import {Sidebar} from './sidebar';
import {sidebarOpen} from './sidebar_state';

function View() {
  const now = useValue(route);
  switch (now.view) {
    case 'compare':
      return <CompareView wanted={now.models} />;
    case 'runs':
      return <RunsView wanted={now.run} />;
    default:
      return <ChatView id={now.id} />;
  }
}

// The document's own language and colours.
function useDocument(): void {
  const language = useLanguage();
  const theme = useSlice(preferences, (all) => all.theme);
  useEffect(() => {
    document.documentElement.lang = language;
    document.documentElement.dataset.theme = theme;
  }, [language, theme]);
}

function Banner() {
  const words = useWords();
  const here = useValue(reachable);
  const unsaved = useValue(savingFailed);
  if (here && !unsaved) return null;
  return (
    <p class="banner" role="alert">
      {here ? words.notSaved : words.gone}
    </p>
  );
}

export function App() {
  const words = useWords();
  const open = useValue(sidebarOpen);
  const settings = useValue(settingsOpen);
  const key = useValue(keyWanted);
  useDocument();
  useShortcuts();
  useEffect(() => void loadModels(), []);
  return (
    <div class={open ? 'app open' : 'app'}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>('main')?.focus();
        }}
      >
        {words.skip}
      </a>
      <Sidebar />
      {open && <button type="button" class="veil" aria-label={words.close} onClick={() => sidebarOpen.set(false)} />}
      <main id="main" tabIndex={-1}>
        <Banner />
        <View />
      </main>
      {settings && <Settings />}
      {key && <KeyDialog />}
    </div>
  );
}
