import assert from 'node:assert/strict';
import {test} from 'node:test';
import {SseParser} from 'page/api/sse';

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
