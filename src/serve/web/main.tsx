// The page's beginning.
import './style/app.css';
import {render} from 'preact';
import {App} from './app/app';
import {followAddress} from './app/route';
import {load, saveNow} from './store/conversations';

followAddress();
addEventListener('pagehide', saveNow);
document.addEventListener('visibilitychange', () => document.hidden && saveNow());
void load().finally(() => render(<App />, document.body));
