import assert from 'node:assert/strict';
import {test} from 'node:test';
import {endsAnswer, endsWhole, label, pieces, textOf} from 'page/tokens/bytes';

const token = (...bytes) => ({bytes, text: ''});
const word = (text) => ({bytes: [...new TextEncoder().encode(text)], text});
const [a, b] = [token(0xec, 0x95), token(0x88)]; // 안

test('tokens that share a character are put together', () => {
  assert.equal(textOf([word('x '), a, b]), 'x 안');
  assert.deepEqual(pieces([word('x '), a, b, word('!')]), ['x ', '·', '안', '!']);
});

test('it is known where a character is not whole', () => {
  assert.ok(endsWhole([a, b]));
  assert.ok(endsWhole([word('a')]));
  assert.ok(endsWhole([]));
  assert.ok(!endsWhole([word('a'), a]));
  assert.ok(!endsWhole([token(0xf0, 0x9f, 0x8c)]));
  assert.ok(endsWhole([token(0xf0, 0x9f), token(0x8c, 0xb1)]));
});

test('a token is read with its blanks or its bytes', () => {
  assert.equal(label(word(' a\n')), '␣a↵');
  assert.equal(label(a), 'EC 95');
  assert.equal(label({bytes: [], text: '<|im_end|>'}), '<|im_end|>');
});

test('ends of answers are known by name', () => {
  for (const text of ['<|im_end|>', '<|endoftext|>', '</s>', '<end_of_turn>', '[|endofturn|]'])
    assert.ok(endsAnswer({text}), text);
  for (const text of ['<', '</p>', ' end', '|']) assert.ok(!endsAnswer({text}), text);
});
