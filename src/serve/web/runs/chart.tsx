// Curves of one figure, as SVG: one colour a run, broken lines for held-out data. The values under the pointer, or at the place
// the arrow keys went to, stand below.
import {useEffect, useRef, useState} from 'preact/hooks';
import {useWords} from '../i18n/words';
import {scale, short} from './scale';
import {nearest, type Point, smooth, thin} from './series';

export interface Line {
  name: string; // the run
  colour: number; // of the run, 0 .. 5
  heldOut: boolean;
  points: Point[];
}

interface Properties {
  title: string;
  lines: Line[];
  log: boolean;
  smoothing: number;
}

const HEIGHT = 220;
const FEWEST = 30; // points of a curve that is smoothed
const EDGE = {left: 52, right: 20, top: 8, bottom: 24};

// The drawing is as wide as its place.
function useWidth() {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(480);
  useEffect(() => {
    if (!place.current) return;
    const observer = new ResizeObserver(
      ([entry]) => entry && setWidth(Math.max(200, Math.round(entry.contentRect.width))),
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return {place, width};
}

function bounds(lines: Line[], log: boolean): {x: [number, number]; y: [number, number]} | null {
  const points = lines.flatMap((line) => line.points);
  if (!points.length) return null;
  const limits = (values: number[]): [number, number] =>
    values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
  const [low, high] = limits(points.map(({y}) => y));
  const room = log ? 0 : (high - low || Math.abs(high) || 1) * 0.05;
  return {x: limits(points.map(({x}) => x)), y: [low - room, high + room]};
}

const path = (points: Point[], x: (v: number) => number, y: (v: number) => number): string =>
  points.map((point, i) => `${i ? 'L' : 'M'}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`).join('');

export function Chart({title, lines: all, log, smoothing}: Properties) {
  const words = useWords();
  const {place, width} = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const positive = log && all.some(({points}) => points.some(({y}) => y > 0));
  const lines = all
    .map((line) => ({...line, points: positive ? line.points.filter(({y}) => y > 0) : line.points}))
    .map((line) => ({
      ...line,
      smoothed:
        smoothing && !line.heldOut && line.points.length >= FEWEST ? smooth(line.points, smoothing) : line.points,
    }))
    .filter(({points}) => points.length);
  const box = bounds(lines, positive);
  if (!box) return null;
  const x = scale(...box.x, EDGE.left, width - EDGE.right, false, Math.max(2, Math.floor(width / 110)));
  const y = scale(...box.y, HEIGHT - EDGE.bottom, EDGE.top, positive, 5);
  const stepAt = (event: PointerEvent) => {
    const left =
      (event.clientX - (event.currentTarget as Element).getBoundingClientRect().left - EDGE.left) /
      (width - EDGE.left - EDGE.right);
    setAt(box.x[0] + Math.min(1, Math.max(0, left)) * (box.x[1] - box.x[0]));
  };
  const keys = (event: KeyboardEvent) => {
    const move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!move) return;
    event.preventDefault();
    const now = at ?? (move > 0 ? box.x[0] : box.x[1]);
    setAt(Math.min(box.x[1], Math.max(box.x[0], now + (move * (box.x[1] - box.x[0])) / 50)));
  };
  return (
    <figure class="chart" ref={place}>
      <figcaption>{title}</figcaption>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={words.chartOf(title)}
        tabIndex={0}
        onPointerMove={stepAt}
        onPointerLeave={() => setAt(null)}
        onKeyDown={keys}
        onBlur={() => setAt(null)}
      >
        {y.ticks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={EDGE.left} x2={width - EDGE.right} y1={y(tick)} y2={y(tick)} />
            <text x={EDGE.left - 6} y={y(tick) + 4} class="left-of">
              {short(tick)}
            </text>
          </g>
        ))}
        {x.ticks.map((tick) => (
          <text key={tick} x={x(tick)} y={HEIGHT - 6} class="under">
            {short(tick)}
          </text>
        ))}
        {lines.map((line, i) => (
          <g key={i} class={`run${line.colour}`}>
            {line.smoothed !== line.points && <path class="raw" d={path(thin(line.points, width), x, y)} />}
            <path class={line.heldOut ? 'held-out' : undefined} d={path(thin(line.smoothed, width), x, y)} />
            {line.points.length === 1 && <circle cx={x(line.points[0]?.x ?? 0)} cy={y(line.points[0]?.y ?? 0)} r="3" />}
          </g>
        ))}
        {at !== null && <Cross lines={lines} at={at} x={x} y={y} />}
      </svg>
      <Values lines={lines} at={at} />
    </figure>
  );
}

type Drawn = Line & {smoothed: Point[]};

function Cross({lines, at, x, y}: {lines: Drawn[]; at: number; x: (v: number) => number; y: (v: number) => number}) {
  return (
    <>
      <line class="cross" x1={x(at)} x2={x(at)} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} />
      {lines.map((line, i) => {
        const point = nearest(line.smoothed, at);
        return point && <circle key={i} class={`run${line.colour}`} cx={x(point.x)} cy={y(point.y)} r="3.5" />;
      })}
    </>
  );
}

// Without a place, the latest values.
function Values({lines, at}: {lines: Drawn[]; at: number | null}) {
  const words = useWords();
  return (
    <ul class="values">
      {lines.map((line, i) => {
        const point = at === null ? line.smoothed.at(-1) : nearest(line.smoothed, at);
        if (!point) return null;
        return (
          <li key={i} class={`run${line.colour}`}>
            <i class={line.heldOut ? 'broken' : undefined} />
            <span>{line.heldOut ? `${line.name} (${words.heldOut})` : line.name}</span>
            <b>{short(point.y)}</b>
            <small>{words.atStep(point.x)}</small>
          </li>
        );
      })}
    </ul>
  );
}
