// A conversation's settings: the system prompt and how the next token is drawn, each with a sentence on what it does.
import {Panel} from '../app/panel';
import {SAMPLING_RANGES, Setting} from '../app/setting';
import {useWords} from '../i18n/words';
import {useSlice} from '../store/observable';
import {prefer, preferences} from '../store/preferences';
import {type Conversation, DEFAULT_SAMPLING, type Sampling} from '../store/types';

interface Properties {
  conversation: Conversation;
  onChange: (edit: (one: Conversation) => Conversation) => void;
  onClose: () => void;
}

export function Controls({conversation, onChange, onClose}: Properties) {
  const words = useWords();
  const probabilities = useSlice(preferences, (all) => all.probabilities);
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
          value={sampling[range.name]}
          onChange={(value) => set({[range.name]: value})}
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
