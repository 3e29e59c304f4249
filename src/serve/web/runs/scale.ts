// Axes: numbers to places in a drawing, and round numbers to mark.
export interface Scale {
  (value: number): number;
  ticks: number[];
}

// Round steps: 1, 2 or 5 times a power of ten.
export function linearTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

// Powers of ten; with few of them, their doubles and fivefolds too.
export function logTicks(low: number, high: number): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const factors = to - from > 3 ? [1] : [1, 2, 5];
  const every = Math.max(1, Math.ceil((to - from) / 6));
  const ticks: number[] = [];
  for (let power = from; power <= to; power += every)
    ticks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(12))));
  return ticks.filter((tick) => tick >= low * 0.999999 && tick <= high * 1.000001);
}

export function scale(low: number, high: number, from: number, to: number, log = false, count = 5): Scale {
  const place = log ? Math.log : (value: number) => value;
  const span = place(high) - place(low) || 1;
  const map = (value: number) => from + ((place(value) - place(low)) / span) * (to - from);
  return Object.assign(map, {ticks: log ? logTicks(low, high) : linearTicks(low, high, count)});
}

// A number in few characters: 0.00012 -> 1.2e-4, 12345 -> 12.3k.
export function short(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size >= 1e9) return `${Number((value / 1e9).toPrecision(3))}G`;
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  if (size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}
