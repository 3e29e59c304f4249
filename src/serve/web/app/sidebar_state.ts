import {Observable} from '../store/observable';
import {route} from './route';

// On a phone: whether the list of conversations covers the view. On a wide screen: whether it is put away.
export const sidebarOpen = new Observable(false);

// The conversation looked at last, to come back to from another view.
export const lastChat = new Observable<string | null>(null);
route.watch((now) => now.view === 'chat' && lastChat.set(now.id));
