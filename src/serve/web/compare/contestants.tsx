// Who is compared: two or more models or manners of one; with more than two, every round draws two of them.
import {CloseIcon, PlusIcon} from '../app/icons';
import {SAMPLING_RANGES, Setting} from '../app/setting';
import {ModelPicker} from '../chat/model_picker';
import {useWords} from '../i18n/words';
import {type Contestant, contestant, nameOf} from './round';

interface Properties {
  names: string[];
  value: Contestant[];
  onChange: (all: Contestant[]) => void;
  hidden: boolean; // while a round is blind, this stays closed
}

export function Contestants({names, value, onChange, hidden}: Properties) {
  const words = useWords();
  if (!value.length) return <p class="soft note">{words.noModels}</p>;
  const set = (place: number, part: Partial<Contestant>) =>
    onChange(value.map((one, i) => (i === place ? {...one, ...part} : one)));
  const same = new Set(value.map(nameOf)).size < value.length;
  return (
    <div class="contestants">
      {value.map((one, i) => (
        <fieldset key={i} disabled={hidden}>
          <legend class="hidden">{words.contestant(i + 1)}</legend>
          <div class="row">
            <ModelPicker
              names={names}
              value={one.model}
              onPick={(model) => set(i, {model})}
              label={words.contestant(i + 1)}
            />
            {value.length > 2 && (
              <button
                type="button"
                class="quiet"
                onClick={() => onChange(value.filter((_, other) => other !== i))}
                aria-label={words.removeContestant(i + 1)}
              >
                <CloseIcon />
              </button>
            )}
          </div>
          <details>
            <summary>{words.manner}</summary>
            <label class="field">
              <span>{words.system}</span>
              <textarea rows={2} value={one.system} onInput={(event) => set(i, {system: event.currentTarget.value})} />
            </label>
            {SAMPLING_RANGES.map((range) => (
              <Setting
                key={range.name}
                range={range}
                told={words.settings[range.name]}
                value={one.sampling[range.name]}
                onChange={(number) => set(i, {sampling: {...one.sampling, [range.name]: number}})}
              />
            ))}
          </details>
        </fieldset>
      ))}
      <button
        type="button"
        class="plain add"
        disabled={hidden}
        onClick={() => onChange([...value, contestant(names[value.length % names.length] ?? '')])}
      >
        <PlusIcon />
        {words.addContestant}
      </button>
      {same && <p class="soft small">{words.sameContestants}</p>}
    </div>
  );
}
