// Curves from the lines of metrics.jsonl, and what is done to them before they are drawn.
import type {Metrics} from '../api/runs';

export interface Point {
  x: number;
  y: number;
}

export interface Curve {
  figure: string; // "loss", "val_loss"
  points: Point[];
}

// What is on the axis, or the same for every run.
const NOT_DRAWN = new Set(['step', 'tokens', 'elapsed_seconds']);
const FIRST = ['loss', 'reward', 'accuracy', 'kl', 'margin'];
const LAST = ['lr', 'grad_norm', 'tokens_per_second', 'utilisation', 'data_wait_seconds', 'memory_bytes'];

export function curves(lines: Metrics[]): Curve[] {
  const all = new Map<string, Point[]>();
  for (const line of lines) {
    for (const [figure, y] of Object.entries(line)) {
      if (NOT_DRAWN.has(figure) || typeof y !== 'number' || !Number.isFinite(y)) continue;
      const points = all.get(figure);
      if (points) points.push({x: line.step, y});
      else all.set(figure, [{x: line.step, y}]);
    }
  }
  return [...all].map(([figure, points]) => ({figure, points}));
}

// A chart shows a figure together with its value on held-out data: "loss" with "val_loss".
export const chartOf = (figure: string): string => figure.replace(/^val_/, '');

// The charts of some runs: what was learned first, how the machine fared last.
export function charts(all: Curve[][]): string[] {
  const names = [...new Set(all.flat().map(({figure}) => chartOf(figure)))];
  const rank = (name: string) => {
    const first = FIRST.findIndex((word) => name.includes(word));
    return LAST.includes(name) ? 100 + LAST.indexOf(name) : first < 0 ? 50 : first;
  };
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

// Exponential moving average, corrected for its beginning. weight: 0 none .. below 1.
export function smooth(points: Point[], weight: number): Point[] {
  let sum = 0;
  let total = 0;
  return points.map(({x, y}) => {
    sum = weight * sum + (1 - weight) * y;
    total = weight * total + (1 - weight);
    return {x, y: sum / total};
  });
}

// At most 2 `columns` points: of those that share a column of the drawing, the lowest and the highest.
export function thin(points: Point[], columns: number): Point[] {
  const first = points[0]?.x ?? 0;
  const width = ((points.at(-1)?.x ?? 0) - first) / columns;
  if (points.length <= 2 * columns || width <= 0) return points;
  const out: Point[] = [];
  for (let i = 0; i < points.length;) {
    const column = Math.floor(((points[i] as Point).x - first) / width);
    let low = points[i] as Point;
    let high = low;
    for (; i < points.length && Math.floor(((points[i] as Point).x - first) / width) === column; ++i) {
      const point = points[i] as Point;
      if (point.y < low.y) low = point;
      if (point.y > high.y) high = point;
    }
    out.push(...(low === high ? [low] : low.x < high.x ? [low, high] : [high, low]));
  }
  return out;
}

// The point nearest to x.
export function nearest(points: Point[], x: number): Point | null {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle] as Point).x < x) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [points[low - 1], points[low]];
  if (before && after) return x - before.x < after.x - x ? before : after;
  return after ?? before ?? null;
}
