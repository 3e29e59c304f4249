// A conversation: its messages, what is written next, and beside them its settings or an answer's tokens.
import {useEffect, useMemo, useState} from 'preact/hooks';
import {models} from '../api/models';
import {Header} from '../app/header';
import {go} from '../app/route';
import {PlusIcon, SlidersIcon} from '../app/icons';
import {useWords} from '../i18n/words';
import {change, conversations, fresh, keep} from '../store/conversations';
import {useSlice, useValue} from '../store/observable';
import {prefer, preferences} from '../store/preferences';
import {shownPath} from '../store/tree';
import type {Conversation} from '../store/types';
import {TokenPanel} from '../tokens/panel';
import {selected} from '../tokens/selection';
import {Composer} from './composer';
import {Controls} from './controls';
import {Empty} from './empty';
import {JumpDown, useFollow} from './follow';
import {ask, modelOf, running, stop, writingIn} from './generation';
import {MessageView} from './message';
import {ModelPicker} from './model_picker';
import {Voice} from './voice';

// A conversation is kept from its first message on.
function useConversation(id: string | null): [Conversation, (edit: (one: Conversation) => Conversation) => void] {
  const stored = useSlice(conversations, (all) => (id ? all.get(id) : undefined));
  const [draft, setDraft] = useState(() => fresh(preferences.get().model));
  useEffect(() => {
    if (!id) setDraft(fresh(preferences.get().model));
  }, [id]);
  return stored ? [stored, (edit) => change(stored.id, edit)] : [draft, setDraft];
}

export function ChatView({id}: {id: string | null}) {
  const words = useWords();
  const [conversation, edit] = useConversation(id);
  const path = useMemo(() => shownPath(conversation), [conversation]);
  const busy = writingIn(path, useValue(running));
  const {names} = useValue(models);
  const [settings, setSettings] = useState(false);
  const token = useValue(selected);
  const {place, atEnd, toEnd} = useFollow(conversation);
  useEffect(() => {
    selected.set(null);
  }, [id]);
  useEffect(() => {
    document.title = conversation.title ? `${conversation.title} · Malssi` : 'Malssi';
    return () => void (document.title = 'Malssi');
  }, [conversation.title]);
  useEffect(() => {
    const stopOnEscape = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && busy && !document.querySelector('dialog[open]'))
        stop(busy);
    };
    addEventListener('keydown', stopOnEscape);
    return () => removeEventListener('keydown', stopOnEscape);
  }, [busy]);

  const send = (text: string) => {
    if (!conversations.get().has(conversation.id)) keep(conversation);
    ask(conversation.id, path.at(-1)?.id ?? null, text);
    go({view: 'chat', id: conversation.id});
    toEnd();
  };
  const pick = (model: string) => {
    prefer({model});
    edit((one) => ({...one, model}));
  };
  return (
    <div class={settings || token ? 'split' : 'whole'}>
      <section class="view" aria-label={words.chat}>
        <Header title={<ModelPicker names={names} value={modelOf(conversation)} onPick={pick} />}>
          <button
            type="button"
            class="quiet menu"
            onClick={() => go({view: 'chat', id: null})}
            aria-label={words.newChat}
            title={words.newChat}
          >
            <PlusIcon />
          </button>
          <button
            type="button"
            class="quiet"
            aria-expanded={settings}
            aria-label={words.controls}
            title={words.controls}
            onClick={() => {
              selected.set(null);
              setSettings(!settings);
            }}
          >
            <SlidersIcon />
          </button>
        </Header>
        <div class="scroll" ref={place} tabIndex={-1}>
          <div class="content">
            {path.length ? (
              <ol class="messages" aria-label={words.messages}>
                {path.map((message) => (
                  <MessageView
                    key={message.id}
                    conversation={conversation.id}
                    message={message}
                    alternatives={conversation.messages}
                  />
                ))}
              </ol>
            ) : (
              <Empty onPick={send} />
            )}
          </div>
        </div>
        {!atEnd && path.length > 0 && <JumpDown onClick={toEnd} />}
        <Composer key={conversation.id} id={conversation.id} busy={busy} path={path} onSend={send} />
        <Voice path={path} busy={busy} />
      </section>
      {token ? (
        <TokenPanel
          conversation={conversation}
          selection={token}
          onApply={(sampling) => edit((one) => ({...one, sampling}))}
        />
      ) : (
        settings && <Controls conversation={conversation} onChange={edit} onClose={() => setSettings(false)} />
      )}
    </div>
  );
}
