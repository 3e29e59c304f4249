// The reader's preferences, in localStorage.
import {Observable} from './observable';
import {DEFAULT_SAMPLING, type Sampling} from './types';

export interface Preferences {
  language: 'auto' | 'en' | 'ko';
  theme: 'system' | 'light' | 'dark';
  model: string | null; // the one chosen last
  system: string;
  sampling: Sampling;
  probabilities: boolean; // ask for them with every answer, for the token view
}

const KEY = 'malssi.preferences';
const DEFAULTS: Preferences = {
  language: 'auto',
  theme: 'system',
  model: null,
  system: '',
  sampling: DEFAULT_SAMPLING,
  probabilities: true,
};

function stored(): Preferences {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>;
    return {...DEFAULTS, ...found, sampling: {...DEFAULT_SAMPLING, ...found.sampling}};
  } catch {
    return DEFAULTS;
  }
}

export const preferences = new Observable<Preferences>(stored());

export function prefer(part: Partial<Preferences>): void {
  preferences.update((all) => ({...all, ...part}));
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.get()));
  } catch {
    // kept for as long as the page is open
  }
}
