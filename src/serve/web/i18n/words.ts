// The page's words in the reader's language.
import {useSlice} from '../store/observable';
import {preferences} from '../store/preferences';
import {en} from './en';
import {ko} from './ko';
import {type Language, languageOf} from './language';

export type Words = typeof en;
const all: Record<Language, Words> = {en, ko};

export const useLanguage = (): Language =>
  useSlice(preferences, ({language}) => languageOf(language, navigator.languages));
export const useWords = (): Words => all[useLanguage()];
