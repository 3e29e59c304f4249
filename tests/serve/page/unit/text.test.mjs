import assert from 'node:assert/strict';
import {test} from 'node:test';
import {BlockReader} from 'page/text/blocks';
import {decodeEntities} from 'page/text/entities';
import {safeLink} from 'page/text/links';
import {spansOf} from 'page/text/spans';
import {joined, splitThoughts} from 'page/text/split_thoughts';
import {SAMPLE} from '../stand_in_model.mjs';

const types = (text) =>
  new BlockReader()
    .read(text)
    .map(({type}) => type)
    .filter((type) => type !== 'space');
const inline = (text) => new BlockReader().read(text)[0].tokens.map(({type}) => type);
const HARD = `${SAMPLE}\n\n- a\n\n  b\n- c\n\n> quote\nlazy\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\\[ x^2 \\]\n\nSetext\n---\n\n    indented\n\ncost $5 and $6\n`;

test('read piece by piece, the blocks are those of the whole', () => {
  for (const size of [1, 3, 17]) {
    const reader = new BlockReader();
    for (let end = 0; end < HARD.length; end += size) reader.read(HARD.slice(0, end));
    assert.deepEqual(reader.read(HARD), new BlockReader().read(HARD));
  }
});

test('a finished block keeps its identity while the text grows', () => {
  const reader = new BlockReader();
  const before = reader.read('# one\n\ntwo\n\nthr');
  const after = reader.read('# one\n\ntwo\n\nthree and more');
  assert.equal(after[0], before[0]);
  assert.equal(after[2], before[2]);
  assert.equal(after.at(-1).text, 'three and more');
});

test('an answer that is replaced is read anew', () => {
  const reader = new BlockReader();
  reader.read('one\n\ntwo\n\nthree');
  assert.deepEqual(
    reader.read('four').map(({text}) => text),
    ['four'],
  );
});

test('a long answer is read in time that grows with it', () => {
  const text = 'Ten words stand in this line, and more would too.\n\n'.repeat(2000);
  const reader = new BlockReader();
  const spent = () => process.cpuUsage().user / 1000; // other programs take none of it
  const before = spent();
  for (let end = 0; end < text.length; end += 50) reader.read(text.slice(0, end));
  assert.ok(spent() - before < 5000);
});

test('mathematics is told from money', () => {
  assert.deepEqual(types('$$\nx\n$$\n\n\\[ y \\]'), ['math', 'math']);
  assert.deepEqual(inline('so $x^2$ and \\(y\\).'), ['text', 'math', 'text', 'math', 'text']);
  assert.deepEqual(inline('it costs $5 and then $6'), ['text']);
  assert.deepEqual(inline('`$x$`'), ['codespan']);
});

test('only addresses of the web and of mail are linked', () => {
  for (const good of ['https://a.example/x?y#z', 'http://a.example', 'mailto:a@b.example', ' HTTPS://A.example '])
    assert.ok(safeLink(good), good);
  for (const bad of [
    'javascript:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    '/malssi/runs',
    '//a.example',
    '#x',
    '',
    'blob:https://a.example/1',
    'https://user:pass@a.example',
  ])
    assert.equal(safeLink(bad), null, bad);
});

test('character references are decoded once', () => {
  assert.equal(
    decodeEntities('&lt;b&gt; &amp;amp; &#39;&#x1F331; &nbsp;&nothing; &#0; &#xD800;'),
    "<b> &amp; '🌱 \u00a0&nothing; \ufffd \ufffd",
  );
});

test('highlighted code is the code again', () => {
  const text = (spans) => spans.map((span) => (typeof span === 'string' ? span : text(span.parts))).join('');
  const spans = spansOf(
    '<span class="hljs-keyword">if</span> (a &lt; b &amp;&amp; <span class="hljs-string">&quot;<span class="x">c</span>&quot;</span>)',
  );
  assert.equal(text(spans), 'if (a < b && "c")');
  assert.equal(spans[0].kind, 'hljs-keyword');
  assert.deepEqual(spansOf('</span></span>a<b'), ['a', '<', 'b']);
});

test('thoughts are told from the answer', () => {
  assert.deepEqual(splitThoughts('<think>\nhm\n</think>\n\nyes'), {thoughts: 'hm', answer: 'yes', thinking: false});
  assert.deepEqual(splitThoughts('<think>\nhm'), {thoughts: 'hm', answer: '', thinking: true});
  assert.deepEqual(splitThoughts('no <think> here'), {thoughts: null, answer: 'no <think> here', thinking: false});
});

test('thoughts that come apart are written before the answer', () => {
  const pieces = [
    {thought: 'h', text: ''},
    {thought: 'm', text: ''},
    {thought: '', text: 'y'},
    {thought: '', text: 'es'},
  ];
  const text = pieces.reduce(joined, '');
  assert.deepEqual(splitThoughts(text), {thoughts: 'hm', answer: 'yes', thinking: false});
  assert.equal(joined('', {thought: '', text: 'plain'}), 'plain');
});
