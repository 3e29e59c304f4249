// The page's words in the reader's language.
import {useSlice} from '../store/observable';
import {type Preferences, preferences} from '../store/preferences';
import {en} from './en';
import {ko} from './ko';

export type Words = typeof en;
const all: Record<'en' | 'ko', Words> = {en, ko};

export function languageOf({language}: Pick<Preferences, 'language'>, browser: readonly string[]): 'en' | 'ko' {
  if (language !== 'auto') return language;
  const first = browser.find((tag) => /^(en|ko)\b/i.test(tag));
  return first?.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

export const useLanguage = (): 'en' | 'ko' => useSlice(preferences, (now) => languageOf(now, navigator.languages));
export const useWords = (): Words => all[useLanguage()];
