// Which view is shown, as the part of the address after "#": "/" a new conversation, "/c/ID", "/compare?models=a,b", "/runs?run=NAME".
import {Observable} from '../store/observable';

export type Route =
  {view: 'chat'; id: string | null} | {view: 'compare'; models: string[]} | {view: 'runs'; run: string | null};

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  const parameters = new URLSearchParams(query);
  if (path === '/compare')
    return {view: 'compare', models: (parameters.get('models') ?? '').split(',').filter(Boolean)};
  if (path === '/runs') return {view: 'runs', run: parameters.get('run')};
  return {view: 'chat', id: /^\/c\/([\w-]+)$/.exec(path)?.[1] ?? null};
}

export function routeHash(route: Route): string {
  if (route.view === 'compare')
    return route.models.length ? `#/compare?${new URLSearchParams({models: route.models.join(',')})}` : '#/compare';
  if (route.view === 'runs') return route.run ? `#/runs?${new URLSearchParams({run: route.run})}` : '#/runs';
  return route.id ? `#/c/${route.id}` : '#/';
}

export const route = new Observable<Route>(parseRoute(globalThis.location?.hash ?? ''));

export function go(to: Route): void {
  if (routeHash(to) !== location.hash) location.hash = routeHash(to);
}

export function followAddress(): void {
  addEventListener('hashchange', () => route.set(parseRoute(location.hash)));
}
