import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tree from 'page/store/tree';
import {DEFAULT_SAMPLING} from 'page/store/types';

const empty = {
  id: 'c',
  title: '',
  made: 0,
  changed: 0,
  model: null,
  system: '',
  sampling: DEFAULT_SAMPLING,
  messages: {},
  chosen: {},
};
const message = (id, parent, made, role = 'user') => ({id, parent, role, text: id, made});
const build = (...messages) => messages.reduce(tree.add, empty);
const shown = (conversation) => tree.shownPath(conversation).map(({id}) => id);

test('what was added last is shown', () => {
  const one = build(message('q', null, 1), message('a1', 'q', 2, 'assistant'), message('a2', 'q', 3, 'assistant'));
  assert.deepEqual(shown(one), ['q', 'a2']);
  assert.deepEqual(
    tree.siblings(one, 'a2').map(({id}) => id),
    ['a1', 'a2'],
  );
});

test('turning shows the other alternative with what was said below it', () => {
  let one = build(message('q', null, 1), message('a1', 'q', 2), message('b', 'a1', 3), message('a2', 'q', 4));
  one = tree.turn(one, 'a2', -1);
  assert.deepEqual(shown(one), ['q', 'a1', 'b']);
  assert.deepEqual(shown(tree.turn(one, 'a1', -1)), ['q', 'a1', 'b']); // there is none before the first
  assert.deepEqual(shown(tree.turn(one, 'a1', 1)), ['q', 'a2']);
});

test('an edited beginning is a second beginning', () => {
  const one = build(message('q', null, 1), message('a', 'q', 2), message('p', null, 3));
  assert.deepEqual(shown(one), ['p']);
  assert.deepEqual(tree.siblings(one, 'q').length, 2);
  assert.deepEqual(
    tree.pathTo(one, 'a').map(({id}) => id),
    ['q', 'a'],
  );
});

test('a change keeps every other message as it was', () => {
  const one = build(message('q', null, 1), message('a', 'q', 2));
  const two = tree.change(one, 'a', {text: 'new'});
  assert.equal(two.messages.q, one.messages.q);
  assert.equal(two.messages.a.text, 'new');
  assert.equal(tree.change(one, 'none', {text: 'new'}), one);
});

test('a circle in a damaged conversation ends', () => {
  const one = {...empty, messages: {a: message('a', 'b', 1), b: message('b', 'a', 2)}, chosen: {}};
  assert.deepEqual(shown(one), []);
  assert.equal(tree.pathTo(one, 'a').length, 2);
});
