// One setting: a slider or a number, with its explanation. Without a value the model's own holds.
import {useId} from 'preact/hooks';
import {useWords} from '../i18n/words';
import type {Sampling} from '../store/types';

export interface Range {
  min: number;
  max: number;
  step: number;
  off: number; // what changes nothing, where a drag begins
  slider?: boolean;
}

export type SamplingRange = Range & {name: keyof Sampling};

export const SAMPLING_RANGES: SamplingRange[] = [
  {name: 'temperature', min: 0, max: 2, step: 0.05, off: 1, slider: true},
  {name: 'top_p', min: 0.01, max: 1, step: 0.01, off: 1, slider: true},
  {name: 'top_k', min: 0, max: 100, step: 1, off: 0, slider: true},
  {name: 'min_p', min: 0, max: 0.5, step: 0.01, off: 0, slider: true},
  {name: 'typical_p', min: 0.05, max: 1, step: 0.01, off: 1, slider: true},
  {name: 'repetition_penalty', min: 0.8, max: 1.5, step: 0.01, off: 1, slider: true},
  {name: 'max_tokens', min: 1, max: 1_000_000, step: 1, off: 1024},
  {name: 'seed', min: 0, max: Number.MAX_SAFE_INTEGER, step: 1, off: 0},
];

// How much of an adapter is added to the model.
export const ADAPTER_RANGE: Range = {min: 0, max: 2, step: 0.05, off: 0, slider: true};

interface Properties {
  range: Range;
  told: [string, string]; // its name, and what it does
  value: number | null;
  onChange: (value: number | null) => void;
}

const inside = ({min, max}: Range, value: number): number => Math.min(max, Math.max(min, value));

export function Setting({range, told: [name, hint], value, onChange}: Properties) {
  const words = useWords();
  const id = useId();
  const type = (text: string) =>
    onChange(text === '' || !Number.isFinite(Number(text)) ? null : inside(range, Number(text)));
  const number = (
    <input
      class="number"
      type="number"
      id={`${id}n`}
      min={range.min}
      max={range.max}
      step={range.step}
      value={value ?? ''}
      placeholder={words.asModel}
      aria-label={range.slider ? words.exactly(name) : undefined}
      aria-describedby={`${id}h`}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
  return (
    <div class="setting">
      <div class="row">
        <label for={range.slider ? `${id}s` : `${id}n`}>{name}</label>
        {number}
      </div>
      {range.slider && (
        <input
          type="range"
          id={`${id}s`}
          class={value === null ? 'unset' : undefined}
          min={range.min}
          max={range.max}
          step={range.step}
          value={value ?? range.off}
          aria-describedby={`${id}h`}
          onInput={(event) => onChange(Number(event.currentTarget.value))}
        />
      )}
      <small id={`${id}h`}>{hint}</small>
    </div>
  );
}
