import {Observable} from '../store/observable';

// On a phone: whether the list of conversations covers the view. On a wide screen: whether it is put away.
export const sidebarOpen = new Observable(false);
