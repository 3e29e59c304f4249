// One token's place: what the model held likely there, how the settings cut that, and a way to go on from another choice.
import {useState} from 'preact/hooks';
import {branchFrom} from '../chat/generation';
import {change} from '../store/conversations';
import {Panel} from '../app/panel';
import {SAMPLING_RANGES, type SamplingRange} from '../app/setting';
import {useWords} from '../i18n/words';
import {add} from '../store/tree';
import {type Candidate, type Conversation, newId, type Sampling, type Token} from '../store/types';
import {endsAnswer, endsWhole, label, textOf} from './bytes';
import {cut, type CutSettings} from './cut';
import {selected, type Selection, shown} from './selection';
import {useTokens} from './use_tokens';

const DRAWN: (keyof CutSettings)[] = ['temperature', 'top_k', 'top_p', 'min_p'];

const settingsOf = (sampling: Sampling): CutSettings => ({
  temperature: sampling.temperature ?? 1,
  top_k: sampling.top_k ?? 0,
  top_p: sampling.top_p ?? 1,
  min_p: sampling.min_p ?? 0,
});

export const percent = (p: number): string =>
  p >= 0.9995
    ? '100%'
    : p >= 0.1
      ? `${(p * 100).toFixed(1)}%`
      : p >= 0.001
        ? `${(p * 100).toFixed(2)}%`
        : p > 0
          ? '< 0.1%'
          : '0%';

interface Properties {
  conversation: Conversation;
  selection: Selection;
  onApply: (sampling: Sampling) => void;
}

export function TokenPanel({conversation, selection, onApply}: Properties) {
  const words = useWords();
  const [settings, setSettings] = useState(() => settingsOf(conversation.sampling));
  const tokens = useTokens(selection.message);
  const token = tokens?.[selection.index];
  if (!tokens || !token) return null;
  return (
    <Panel title={words.tokenTitle(selection.index + 1, tokens.length)} onClose={() => selected.set(null)}>
      <p class="chosen-token">
        <code>{label(token)}</code>
        <span>{percent(Math.exp(token.logprob))}</span>
      </p>
      {SAMPLING_RANGES.filter(({name}) => DRAWN.includes(name as keyof CutSettings)).map((range) => (
        <CutSlider key={range.name} range={range} settings={settings} onChange={setSettings} />
      ))}
      <Candidates
        before={tokens.slice(Math.max(0, selection.index - 8), selection.index)}
        token={token}
        settings={settings}
        onChoose={(candidate) => goOn(conversation, selection, tokens, candidate)}
      />
      <button type="button" class="plain" onClick={() => onApply({...conversation.sampling, ...settings})}>
        {words.applySettings}
      </button>
    </Panel>
  );
}

// Begins an alternative answer that has the chosen token at this place.
function goOn(conversation: Conversation, {message: id, index}: Selection, tokens: Token[], chosen: Candidate): void {
  const message = conversation.messages[id];
  const place = tokens[index];
  if (!message || !place) return;
  selected.set(null);
  shown.set(null);
  if (endsAnswer(chosen)) {
    change(conversation.id, (one) =>
      add(one, {
        id: newId(),
        parent: message.parent,
        role: 'assistant',
        text: textOf(tokens.slice(0, index)),
        made: Date.now(),
        model: message.model,
      }),
    );
    return;
  }
  const kept = [...tokens.slice(0, index), {...place, ...chosen}];
  branchFrom(conversation.id, message.parent, textOf(kept), kept);
}

function CutSlider({
  range,
  settings,
  onChange,
}: {
  range: SamplingRange;
  settings: CutSettings;
  onChange: (settings: CutSettings) => void;
}) {
  const words = useWords();
  const name = range.name as keyof CutSettings;
  const [title] = words.settings[name];
  const value = settings[name];
  return (
    <label class="cut-slider">
      <span>{title}</span>
      <input
        type="range"
        min={range.min}
        max={range.max}
        step={range.step}
        value={value}
        onInput={(event) => onChange({...settings, [name]: Number(event.currentTarget.value)})}
      />
      <output>{name === 'top_k' && value === 0 ? words.all : value}</output>
    </label>
  );
}

interface CandidatesProperties {
  before: Token[];
  token: Token;
  settings: CutSettings;
  onChoose: (candidate: Candidate) => void;
}

// Two bars a row: thin, what the model says; thick, the chance of being drawn under the settings.
function Candidates({before: past, token, settings, onChoose}: CandidatesProperties) {
  const words = useWords();
  const {rows, rest, kept} = cut(token.top, settings);
  const widest = Math.max(rest.before, rest.after, ...rows.flatMap(({before, after}) => [before, after])) || 1;
  const bars = (before: number, after: number) => (
    <span class="bars" aria-hidden="true">
      <i class="after" style={{width: `${(100 * after) / widest}%`}} />
      <i class="before" style={{width: `${(100 * before) / widest}%`}} />
    </span>
  );
  const taken = token.top.findIndex(({bytes, text}) => text === token.text && bytes.join() === token.bytes.join());
  return (
    <>
      <p class="soft small">{words.canBeDrawn(kept, token.top.length)}</p>
      <ol class="candidates">
        {token.top.map((candidate, i) => {
          const {before, after} = rows[i] ?? {before: 0, after: 0};
          const whole = endsWhole([...past, candidate]) || endsAnswer(candidate);
          const text = label(candidate);
          return (
            <li key={i} class={after > 0 ? undefined : 'cut'}>
              <button
                type="button"
                disabled={!whole}
                aria-current={i === taken ? 'true' : undefined}
                onClick={() => onChoose(candidate)}
                title={whole ? words.continueWith(text) : words.partOfCharacter}
              >
                <code>{text}</code>
                {bars(before, after)}
                <span class="figure">{percent(after)}</span>
                <span class="hidden">{words.modelSaysThat(percent(before))}</span>
              </button>
            </li>
          );
        })}
        {rest.before >= 0.0005 && (
          <li class={rest.after > 0 ? 'rest' : 'rest cut'}>
            <span>{words.rest}</span>
            {bars(rest.before, rest.after)}
            <span class="figure">{percent(rest.after)}</span>
          </li>
        )}
      </ol>
      <p class="key">
        <i class="before" /> {words.modelSays} <i class="after" /> {words.drawnWith}
      </p>
    </>
  );
}
