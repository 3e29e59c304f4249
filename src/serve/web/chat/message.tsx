// One message with what can be done with it: copied, edited, answered anew, looked at token by token, exchanged for an
// alternative.
import {useEffect, useState} from 'preact/hooks';
import {copyText} from '../app/copy';
import {AgainIcon, CheckIcon, CopyIcon, EditIcon, TokensIcon} from '../app/icons';
import {memo} from '../app/memo';
import {TroubleNote} from '../app/trouble';
import {useWords} from '../i18n/words';
import {change} from '../store/conversations';
import {useSlice} from '../store/observable';
import * as tree from '../store/tree';
import {type Message, newId} from '../store/types';
import {Markdown} from '../text/markdown';
import {shown} from '../tokens/selection';
import {TokenText} from '../tokens/text';
import {Branches} from './branches';
import {EditForm} from './edit_form';
import {editing} from './editing';
import {answer, ask} from './generation';

interface Properties {
  conversation: string;
  message: Message;
  place: number; // among its alternatives, from 0
  count: number;
}

// Outside, so that a message is drawn again only when it changed itself or its alternatives did.
export function MessageView({
  conversation,
  message,
  alternatives,
}: {
  conversation: string;
  message: Message;
  alternatives: Record<string, Message>;
}) {
  const all = Object.values(alternatives)
    .filter(({parent}) => parent === message.parent)
    .sort((a, b) => a.made - b.made || (a.id < b.id ? -1 : 1));
  return (
    <Shown
      conversation={conversation}
      message={message}
      place={all.findIndex(({id}) => id === message.id)}
      count={all.length}
    />
  );
}

function resend(conversation: string, message: Message, text: string): void {
  editing.set(null);
  if (message.role === 'user') ask(conversation, message.parent, text);
  else
    change(conversation, (one) =>
      tree.add(one, {
        ...message,
        id: newId(),
        text,
        made: Date.now(),
        speed: undefined,
        trouble: undefined,
        state: undefined,
      }),
    );
}

const Shown = memo(({conversation, message, place, count}: Properties) => {
  const words = useWords();
  const edited = useSlice(editing, (id) => id === message.id);
  const asTokens = useSlice(shown, (id) => id === message.id);
  const writing = message.state === 'writing';
  const own = message.role === 'user';
  return (
    <li class={`message ${message.role}`} aria-busy={writing}>
      <h2 class="hidden">{own ? words.you : words.answerOf(message.model ?? '')}</h2>
      {edited ? (
        <EditForm
          text={message.text}
          sends={own}
          onDone={(text) => resend(conversation, message, text)}
          onCancel={() => editing.set(null)}
        />
      ) : own ? (
        <div class="bubble">{message.text}</div>
      ) : asTokens ? (
        <TokenText message={message} />
      ) : (
        <Markdown text={message.text} />
      )}
      {writing && !message.text && (
        <p class="waiting">
          <span class="hidden">{words.writing}</span>
          <i />
          <i />
          <i />
        </p>
      )}
      {message.trouble && (
        <TroubleNote trouble={message.trouble} onRetry={() => answer(conversation, message.parent)} />
      )}
      {!edited && !writing && (
        <footer>
          <Branches conversation={conversation} message={message.id} place={place} count={count} />
          <Actions conversation={conversation} message={message} asTokens={asTokens} />
        </footer>
      )}
    </li>
  );
});

function Actions({conversation, message, asTokens}: {conversation: string; message: Message; asTokens: boolean}) {
  const words = useWords();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await copyText(message.text);
    setCopied(true);
  };
  if (!message.text) return null; // it failed before its first word
  return (
    <>
      <button
        type="button"
        class="quiet"
        onClick={() => void copy()}
        aria-label={copied ? words.copied : words.copy}
        title={words.copy}
      >
        {copied ? <CheckIcon /> : <CopyIcon />}
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => editing.set(message.id)}
        aria-label={words.edit}
        title={words.edit}
      >
        <EditIcon />
      </button>
      {message.role === 'assistant' && (
        <>
          <button
            type="button"
            class="quiet"
            onClick={() => answer(conversation, message.parent)}
            aria-label={words.again}
            title={words.again}
          >
            <AgainIcon />
          </button>
          <button
            type="button"
            class="quiet"
            aria-pressed={asTokens}
            onClick={() => shown.set(asTokens ? null : message.id)}
            aria-label={words.tokens}
            title={words.tokens}
          >
            <TokensIcon />
          </button>
          <Facts message={message} />
        </>
      )}
    </>
  );
}

// How the answer came to be, in a few grey words.
function Facts({message: {model, speed, state}}: {message: Message}) {
  const words = useWords();
  const rate = speed && speed.seconds >= 0.1 ? words.rate(speed.tokens, speed.tokens / speed.seconds) : '';
  const ended = state === 'stopped' ? words.stopped : state === 'full' ? words.full : '';
  return <span class="facts">{[model, rate, ended].filter(Boolean).join(' · ')}</span>;
}
