// A conversation's settings: the system prompt and how the next token is drawn, each with a sentence on what it does.
import {Panel} from '../app/panel';
import {models} from '../api/models';
import {ADAPTER_RANGE, SAMPLING_RANGES, Setting} from '../app/setting';
import {useWords} from '../i18n/words';
import {useSlice, useValue} from '../store/observable';
import {prefer, preferences} from '../store/preferences';
import {type Conversation, DEFAULT_SAMPLING, type Sampling} from '../store/types';
import {modelOf} from './generation';

interface Properties {
  conversation: Conversation;
  onChange: (edit: (one: Conversation) => Conversation) => void;
  onClose: () => void;
}

function withAdapter(one: Conversation, name: string, weight: number | null): Conversation {
  const {[name]: _, ...others} = one.adapters ?? {};
  return {...one, adapters: weight === null ? others : {...others, [name]: weight}};
}

export function Controls({conversation, onChange, onClose}: Properties) {
  const words = useWords();
  const probabilities = useSlice(preferences, (all) => all.probabilities);
  const {adapters} = useValue(models);
  const {sampling, system} = conversation;
  const set = (part: Partial<Sampling>) => onChange((one) => ({...one, sampling: {...one.sampling, ...part}}));
  return (
    <Panel title={words.controls} onClose={onClose}>
      <label class="field">
        <span>{words.system}</span>
        <textarea
          rows={4}
          value={system}
          placeholder={words.systemHint}
          onInput={(event) => {
            const text = event.currentTarget.value;
            onChange((one) => ({...one, system: text}));
          }}
        />
      </label>
      {SAMPLING_RANGES.map((range) => (
        <Setting
          key={range.name}
          range={range}
          told={words.settings[range.name]}
          value={sampling[range.name]}
          onChange={(value) => set({[range.name]: value})}
        />
      ))}
      {(adapters[modelOf(conversation) ?? ''] ?? []).map((name) => (
        <Setting
          key={`adapter ${name}`}
          range={ADAPTER_RANGE}
          told={[words.adapter(name), words.adapterHint]}
          value={conversation.adapters?.[name] ?? null}
          onChange={(weight) => onChange((one) => withAdapter(one, name, weight))}
        />
      ))}
      <label class="check">
        <input
          type="checkbox"
          checked={probabilities}
          onChange={(event) => prefer({probabilities: event.currentTarget.checked})}
        />
        <span>
          {words.probabilities}
          <small>{words.probabilitiesHint}</small>
        </span>
      </label>
      <div class="row">
        <button type="button" class="plain" onClick={() => prefer({system, sampling})}>
          {words.asDefault}
        </button>
        <button type="button" class="plain" onClick={() => set(DEFAULT_SAMPLING)}>
          {words.reset}
        </button>
      </div>
    </Panel>
  );
}
