// The views and the conversations, newest first.
import {useEffect, useRef, useState} from 'preact/hooks';
import {useWords} from '../i18n/words';
import {change, conversations, listed, remove} from '../store/conversations';
import {useValue} from '../store/observable';
import type {Conversation} from '../store/types';
import {BinIcon, ChatIcon, CompareIcon, EditIcon, GearIcon, PlusIcon, RunsIcon, SearchIcon, Seed} from './icons';
import {go, type Route, route, routeHash} from './route';
import {settingsOpen} from './settings';
import {lastChat, sidebarOpen} from './sidebar_state';

const SHOWN = 100; // rows at first, and more with each push of the button

export function Sidebar() {
  const words = useWords();
  const now = useValue(route);
  const last = useValue(lastChat);
  const close = () => sidebarOpen.set(false);
  const link = (to: Route, text: string, icon: preact.JSX.Element) => (
    <a href={routeHash(to)} class="nav" aria-current={now.view === to.view ? 'page' : undefined} onClick={close}>
      {icon}
      {text}
    </a>
  );
  return (
    <nav class="sidebar" aria-label={words.menu}>
      <div class="brand">
        <Seed />
        <span lang="ko">말씨</span>
      </div>
      <button
        type="button"
        class="new"
        onClick={() => {
          go({view: 'chat', id: null});
          close();
        }}
        title="Ctrl+Shift+O"
      >
        <PlusIcon />
        {words.newChat}
      </button>
      {link({view: 'chat', id: now.view === 'chat' ? now.id : last}, words.chat, <ChatIcon />)}
      {link({view: 'compare', models: []}, words.compare, <CompareIcon />)}
      {link({view: 'runs', run: null}, words.runs, <RunsIcon />)}
      <ConversationList current={now.view === 'chat' ? now.id : null} onGo={close} />
      <button type="button" class="nav" onClick={() => settingsOpen.set(true)}>
        <GearIcon />
        {words.preferences}
      </button>
    </nav>
  );
}

function ConversationList({current, onGo}: {current: string | null; onGo: () => void}) {
  const words = useWords();
  const all = useValue(conversations);
  const [search, setSearch] = useState('');
  const [limit, setLimit] = useState(SHOWN);
  const found = listed(all, search);
  return (
    <section class="conversations" aria-label={words.conversations}>
      {all.size > 0 && (
        <label class="search">
          <SearchIcon />
          <input
            id="search"
            type="search"
            value={search}
            placeholder={words.search}
            aria-label={words.search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
      )}
      {all.size === 0 && <p class="soft small">{words.noConversations}</p>}
      {all.size > 0 && !found.length && (
        <p class="soft small" role="status">
          {words.nothingFound}
        </p>
      )}
      <ul>
        {found.slice(0, limit).map((one) => (
          <Entry key={one.id} one={one} current={one.id === current} onGo={onGo} />
        ))}
      </ul>
      {found.length > limit && (
        <button type="button" class="plain" onClick={() => setLimit(limit + SHOWN)}>
          {words.more}
        </button>
      )}
    </section>
  );
}

function Entry({one, current, onGo}: {one: Conversation; current: boolean; onGo: () => void}) {
  const words = useWords();
  const [naming, setNaming] = useState(false);
  const title = one.title || words.untitled;
  const drop = () => {
    if (!confirm(words.sureDelete(title))) return;
    void remove(one.id);
    if (current) go({view: 'chat', id: null});
  };
  if (naming)
    return (
      <li>
        <Rename
          title={one.title}
          onDone={(name) => {
            setNaming(false);
            if (name) change(one.id, (now) => ({...now, title: name}));
          }}
        />
      </li>
    );
  return (
    <li class={current ? 'entry current' : 'entry'}>
      <a
        href={routeHash({view: 'chat', id: one.id})}
        aria-current={current ? 'page' : undefined}
        onClick={onGo}
        title={title}
      >
        {title}
      </a>
      <button
        type="button"
        class="quiet"
        onClick={() => setNaming(true)}
        aria-label={words.rename(title)}
        title={words.rename('')}
      >
        <EditIcon />
      </button>
      <button type="button" class="quiet" onClick={drop} aria-label={words.delete(title)} title={words.delete('')}>
        <BinIcon />
      </button>
    </li>
  );
}

function Rename({title, onDone}: {title: string; onDone: (name: string | null) => void}) {
  const words = useWords();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.isComposing) onDone(field.current?.value.trim() || null);
    if (event.key === 'Escape') onDone(null);
  };
  return (
    <input
      ref={field}
      class="rename"
      defaultValue={title}
      maxLength={200}
      aria-label={words.rename(title)}
      onKeyDown={keys}
      onBlur={() => onDone(field.current?.value.trim() || null)}
    />
  );
}
