// All views, one after the other in one browser.
import {after, describe} from 'node:test';
import {endBrowser} from '../browser.mjs';

after(endBrowser);
for (const name of ['chat', 'tokens', 'compare_runs', 'page', 'served']) describe(name, () => import(`./${name}.mjs`));
