// Which answer is shown as tokens, and which of its tokens is looked at.
import {Observable} from '../store/observable';

export interface Selection {
  message: string;
  index: number;
}

export const shown = new Observable<string | null>(null);
export const selected = new Observable<Selection | null>(null);

shown.watch((message) => {
  if (selected.get()?.message !== message) selected.set(null);
});
