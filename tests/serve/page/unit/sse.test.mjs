import assert from 'node:assert/strict';
import {test} from 'node:test';
import {continuedText} from 'page/api/chat';
import {SseParser} from 'page/api/sse';
import {chatPiece, textPiece} from 'page/api/wire';

const whole = (text) => new SseParser().push(text);

test('events come with all line ends, comments and fields that are not used', () => {
  assert.deepEqual(whole('data: one\n\ndata:two\r\n\r\ndata: three\r\rx'), ['one', 'two', 'three']);
  assert.deepEqual(whole(': comment\nevent: x\nid: 1\ndata: a\ndata: b\n\n'), ['a\nb']);
  assert.deepEqual(whole('data\n\n'), ['']);
  assert.deepEqual(whole('\n\n\nevent: nothing\n\n'), []);
  assert.deepEqual(whole('data: not ended\n'), []);
});

test('cut anywhere, the events are the same', () => {
  const text = 'data: {"a": "가나"}\r\n\r\n: x\r\ndata: 1\ndata:  2\n\ndata: [DONE]\n\n';
  const expected = whole(text);
  assert.equal(expected.length, 3);
  for (let i = 0; i <= text.length; ++i) {
    for (let j = i; j <= text.length; ++j) {
      const parser = new SseParser();
      const events = [text.slice(0, i), text.slice(i, j), text.slice(j)].flatMap((piece) => parser.push(piece));
      assert.deepEqual(events, expected);
    }
  }
});

test('pieces of chats and of texts have their tokens, likeliest first', () => {
  const top = [{token: 'a', bytes: [97], logprob: -0.1}];
  const chat = {
    choices: [{delta: {content: 'a'}, finish_reason: null, logprobs: {content: [{...top[0], top_logprobs: top}]}}],
  };
  const found = chatPiece(JSON.stringify(chat));
  assert.equal(found.text, 'a');
  assert.deepEqual(found.tokens, [
    {text: 'a', bytes: [97], logprob: -0.1, top: [{text: 'a', bytes: [97], logprob: -0.1}]},
  ]);
  const text = {
    choices: [
      {
        text: 'b',
        finish_reason: 'length',
        logprobs: {tokens: ['b'], token_logprobs: [-1], top_logprobs: [{c: -2, b: -1}]},
      },
    ],
  };
  const {tokens, finish} = textPiece(JSON.stringify(text));
  assert.deepEqual(
    tokens[0].top.map((one) => one.text),
    ['b', 'c'],
  );
  assert.equal(finish, 'length');
});

test('the last piece has the count, and an error is one', () => {
  const {total, text, tokens} = chatPiece('{"choices": [], "usage": {"completion_tokens": 7}}');
  assert.deepEqual([total, text, tokens], [7, '', []]);
  assert.throws(() => chatPiece('{"error": {"message": "out of memory"}}'), /out of memory/);
  assert.throws(() => chatPiece('not JSON'));
});

test('a continued text goes on from the answer begun', () => {
  const messages = [{content: 'One'}, {content: 'two'}];
  assert.equal(continuedText(messages, false), 'One\n\ntwo');
  assert.equal(continuedText(messages, true), 'Onetwo');
});
