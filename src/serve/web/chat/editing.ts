// The message that is being edited, if any.
import {Observable} from '../store/observable';

export const editing = new Observable<string | null>(null);
