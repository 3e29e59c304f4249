import assert from 'node:assert/strict';
import {test} from 'node:test';
import {cut} from 'page/tokens/cut';

const OFF = {temperature: 1, top_k: 0, top_p: 1, min_p: 0};
const top = (...probabilities) => probabilities.map((p) => ({logprob: Math.log(p)}));
const after = (found) => found.rows.map((row) => Number(row.after.toFixed(4)));
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test('without settings, nothing is cut', () => {
  const found = cut(top(0.5, 0.3, 0.1), OFF);
  assert.deepEqual(after(found), [0.5, 0.3, 0.1]);
  near(found.rest.after, 0.1);
  assert.equal(found.kept, 3);
});

test('temperature 0 leaves the likeliest, 0.5 squares, 2 takes roots', () => {
  assert.deepEqual(after(cut(top(0.6, 0.4), {...OFF, temperature: 0})), [1, 0]);
  const cold = cut(top(0.6, 0.4), {...OFF, temperature: 0.5});
  near(cold.rows[0].after, 0.36 / 0.52);
  const hot = cut(top(0.8, 0.2), {...OFF, temperature: 2});
  near(hot.rows[0].after, Math.sqrt(0.8) / (Math.sqrt(0.8) + Math.sqrt(0.2)));
});

test('top-k keeps the k likeliest, and ties with the last of them', () => {
  assert.deepEqual(after(cut(top(0.5, 0.25, 0.25), {...OFF, top_k: 1})), [1, 0, 0]);
  assert.deepEqual(after(cut(top(0.5, 0.25, 0.25), {...OFF, top_k: 2})), [0.5, 0.25, 0.25]);
  assert.equal(cut(top(0.5, 0.3, 0.1), {...OFF, top_k: 3}).rest.after, 0);
});

test('top-p keeps the token that crosses, counted after top-k', () => {
  assert.deepEqual(after(cut(top(0.5, 0.3, 0.2), {...OFF, top_p: 0.6})), [0.625, 0.375, 0]);
  assert.deepEqual(after(cut(top(0.4, 0.3, 0.3), {...OFF, top_k: 1, top_p: 0.9})), [1, 0, 0]);
  assert.deepEqual(after(cut(top(0.5, 0.5), {...OFF, top_p: 0.01})), [1, 0]);
});

test('min-p drops what is far below the likeliest, the rest among it', () => {
  const found = cut(top(0.5, 0.3, 0.04), {...OFF, min_p: 0.1});
  assert.deepEqual(after(found), [0.625, 0.375, 0]);
  assert.equal(found.rest.after, 0);
});

test('probabilities sum to one under every setting', () => {
  for (const temperature of [0, 0.1, 0.7, 1, 1.5, 2]) {
    for (const top_k of [0, 1, 2, 5, 50]) {
      for (const top_p of [0.01, 0.5, 0.95, 1]) {
        for (const min_p of [0, 0.05, 0.5]) {
          const {rows, rest} = cut(top(0.4, 0.3, 0.1, 0.05), {temperature, top_k, top_p, min_p});
          near(
            rows.reduce((sum, row) => sum + row.after, rest.after),
            1,
          );
          assert.ok([...rows, rest].every((row) => row.after >= 0));
        }
      }
    }
  }
});
