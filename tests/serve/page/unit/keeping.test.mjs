import {webcrypto} from 'node:crypto';
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {draw, nameOf, scores, voteRecord} from 'page/compare/round';
import {parseRoute, routeHash} from 'page/app/route';
import {sendsOn} from 'page/chat/keys';
import {en} from 'page/i18n/en';
import {ko} from 'page/i18n/ko';
import {languageOf} from 'page/i18n/language';
import {exportJson, exportMarkdown, importJson} from 'page/store/transfer';
import {DEFAULT_SAMPLING} from 'page/store/types';

globalThis.crypto ??= webcrypto; // node 18 has it under another name

const conversation = {
  id: 'c',
  title: 'Rain',
  made: 1,
  changed: 2,
  model: 'm',
  system: 's',
  sampling: {...DEFAULT_SAMPLING, top_k: 4},
  chosen: {root: 'q', q: 'a'},
  messages: {
    q: {id: 'q', parent: null, role: 'user', text: 'Why?', made: 1},
    a: {id: 'a', parent: 'q', role: 'assistant', text: 'Because.', made: 2, model: 'm'},
  },
};

test('what was exported is imported under new names', () => {
  const [one] = importJson(exportJson([conversation]));
  assert.notEqual(one.id, 'c');
  assert.equal(Object.keys(one.messages).length, 2);
  assert.equal(one.sampling.top_k, 4);
  assert.equal(exportMarkdown(one), exportMarkdown(conversation));
  assert.match(exportMarkdown(one), /# Rain[^]*Why\?[^]*Because\./);
});

test('damaged files are refused, damaged parts left out', () => {
  for (const bad of ['', '[]', '{"format": "other"}', '{"format": "malssi.conversations"}'])
    assert.throws(() => importJson(bad), bad);
  const file = (value) => JSON.stringify({format: 'malssi.conversations', conversations: value});
  assert.deepEqual(importJson(file([null, 1, {messages: 3}])), []);
  const [one] = importJson(
    file([
      {
        title: 4,
        sampling: {temperature: 'hot'},
        messages: {
          a: {id: 'a', parent: null, role: 'system', text: 'x'},
          b: {id: 'b', parent: 'gone', role: 'user', text: 'x'},
          c: {id: 'c', parent: null, role: 'user', text: 'y', evil: 1},
        },
      },
    ]),
  );
  assert.deepEqual(
    Object.values(one.messages).map(({text}) => text),
    ['y'],
  );
  assert.equal(Object.values(one.messages)[0].evil, undefined);
  assert.equal(one.sampling.temperature, null);
});

test('a round has two different contestants', () => {
  for (let i = 0; i < 100; ++i) {
    const [a, b] = draw(['x', 'y', 'z'], Math.random);
    assert.notEqual(a, b);
  }
  assert.deepEqual(
    draw(['x', 'y'], () => 0.99),
    ['y', 'x'],
  );
  assert.equal(draw(['x'], Math.random), null);
});

test('votes are counted by contestant', () => {
  const one = (model, temperature = null) => ({
    model,
    system: '',
    sampling: {...DEFAULT_SAMPLING, temperature},
    text: 't',
  });
  const vote = (left, right, verdict) => ({id: '1', time: 5000, prompt: 'p', left, right, verdict});
  const votes = [
    vote(one('a'), one('b'), 'left'),
    vote(one('b'), one('a'), 'right'),
    vote(one('a'), one('b', 0.5), 'tie'),
  ];
  assert.deepEqual(
    scores(votes).map(({name, wins, ties, losses}) => [name, wins, ties, losses]),
    [
      ['a', 2, 1, 0],
      ['b · temperature 0.5', 0, 1, 0],
      ['b', 0, 0, 2],
    ],
  );
  const {a, b, vote: word, time} = voteRecord(votes[1]);
  assert.deepEqual([a, b, word, time], ['b', 'a', 'b', 5]);
  assert.equal(nameOf(one('a', 0)), 'a · temperature 0');
});

test('addresses lead to their view and back', () => {
  for (const hash of ['#/', '#/c/abc', '#/compare', '#/compare?models=a%2Cb', '#/runs', '#/runs?run=x+y'])
    assert.equal(routeHash(parseRoute(hash)), hash);
  assert.deepEqual(parseRoute('#/c/<script>'), {view: 'chat', id: null});
  assert.deepEqual(parseRoute(''), {view: 'chat', id: null});
});

test('Enter sends only when no syllable is being composed', () => {
  const key = {key: 'Enter', shiftKey: false, isComposing: false, keyCode: 13};
  assert.ok(sendsOn(key));
  for (const other of [{shiftKey: true}, {isComposing: true}, {keyCode: 229}, {key: 'a'}])
    assert.ok(!sendsOn({...key, ...other}));
});

test("the language is the reader's choice, then the browser's", () => {
  assert.equal(languageOf('auto', ['fr', 'ko-KR', 'en']), 'ko');
  assert.equal(languageOf('auto', ['de']), 'en');
  assert.equal(languageOf('en', ['ko']), 'en');
});

test('both languages say the same things', () => {
  const shape = (value) =>
    typeof value === 'object'
      ? Object.fromEntries(
          Object.entries(value).map(([key, part]) => [key, Array.isArray(value) ? typeof part : shape(part)]),
        )
      : typeof value;
  assert.deepEqual(shape(ko), shape(en));
});
