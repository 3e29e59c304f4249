import assert from 'node:assert/strict';
import {test} from 'node:test';
import {linearTicks, logTicks, scale, short} from 'page/runs/scale';
import {charts, curves, nearest, smooth, thin} from 'page/runs/series';

test('curves are the numbers that were measured', () => {
  const found = curves([
    {step: 0, loss: null, val_loss: 4, tokens: 0},
    {step: 1, loss: 3, val_loss: null, tokens: 9, lr: 0.1},
  ]);
  assert.deepEqual(found, [
    {figure: 'val_loss', points: [{x: 0, y: 4}]},
    {figure: 'loss', points: [{x: 1, y: 3}]},
    {figure: 'lr', points: [{x: 1, y: 0.1}]},
  ]);
  assert.deepEqual(charts([found]), ['loss', 'lr']);
});

test('smoothing keeps a constant and starts without a bias', () => {
  const flat = [1, 2, 3].map((x) => ({x, y: 5}));
  assert.ok(smooth(flat, 0.9).every(({y}) => Math.abs(y - 5) < 1e-12));
  assert.deepEqual(
    smooth(
      [
        {x: 0, y: 1},
        {x: 1, y: 3},
      ],
      0,
    ),
    [
      {x: 0, y: 1},
      {x: 1, y: 3},
    ],
  );
});

test('thinned curves keep their extremes', () => {
  const points = Array.from({length: 10_000}, (_, x) => ({x, y: x === 5000 ? 9 : x === 7000 ? -9 : Math.sin(x)}));
  const few = thin(points, 100);
  assert.ok(few.length <= 202);
  assert.equal(Math.max(...few.map(({y}) => y)), 9);
  assert.equal(Math.min(...few.map(({y}) => y)), -9);
  assert.ok(few.every(({x}, i) => i === 0 || x >= few[i - 1].x));
});

test('the nearest point is found at the ends and between', () => {
  const points = [0, 10, 20].map((x) => ({x, y: x}));
  assert.deepEqual(
    [-5, 4, 6, 99].map((x) => nearest(points, x).x),
    [0, 0, 10, 20],
  );
  assert.equal(nearest([], 1), null);
});

test('axes are marked with round numbers', () => {
  assert.deepEqual(linearTicks(0, 1, 4), [0, 0.5, 1]);
  assert.deepEqual(linearTicks(-0.021, 0.02, 4), [-0.02, 0, 0.02]);
  assert.deepEqual(linearTicks(3, 3, 4), [3]);
  assert.deepEqual(logTicks(1, 10), [1, 2, 5, 10]);
  assert.equal(scale(1, 100, 0, 10, true)(10), 5);
  assert.deepEqual([0, 0.00012, 1.23456, 12345, 64e6].map(short), ['0', '1.2e-4', '1.235', '12.3k', '64M']);
});
