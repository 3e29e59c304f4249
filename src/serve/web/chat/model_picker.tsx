// Which of the server's models answers.
import {useWords} from '../i18n/words';

interface Properties {
  names: string[];
  value: string | null;
  onPick: (name: string) => void;
  label?: string;
}

export function ModelPicker({names, value, onPick, label}: Properties) {
  const words = useWords();
  const all = value && !names.includes(value) ? [value, ...names] : names;
  if (!all.length) return <span class="picker soft">{words.noModel}</span>;
  return (
    <select
      class="picker"
      value={value ?? ''}
      aria-label={label ?? words.model}
      onChange={(event) => onPick(event.currentTarget.value)}
    >
      {all.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}
