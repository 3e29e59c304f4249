// How temperature, top-k, top-p and min-p cut the distribution of one place, in the order in which the sampler applies them,
// from the likeliest candidates alone. What lies beyond them is one "rest", taken as many tokens as likely as the last one
// known: exact while the temperature is 1, an estimate otherwise.
import type {Candidate} from '../store/types';

export interface CutSettings {
  temperature: number; // 0: the likeliest only
  top_k: number; // 0: all
  top_p: number;
  min_p: number;
}

export interface Row {
  before: number; // the model's probability
  after: number; // of being drawn; 0: cut
}

export interface Cut {
  rows: Row[]; // in the candidates' order, likeliest first
  rest: Row;
  kept: number; // candidates that can be drawn
}

interface Weight {
  weight: number; // of all tokens that it stands for
  each: number; // of one of them
  count: number;
}

function heated(before: number[], rest: number, temperature: number): Weight[] {
  const last = before.at(-1) ?? 0;
  const each = Math.min(last, rest);
  const count = each > 0 ? rest / each : 0;
  const best = before[0] || 1;
  const power = (p: number) => (p > 0 ? (p / best) ** (1 / temperature) : 0);
  const weights = before.map((p) => ({weight: power(p), each: power(p), count: 1}));
  return [...weights, {weight: count * power(each), each: power(each), count}];
}

const sum = (weights: Weight[]): number => weights.reduce((total, {weight}) => total + weight, 0);
const none = (one: Weight): Weight => ({...one, weight: 0, each: 0});

function topK(weights: Weight[], k: number): Weight[] {
  if (k <= 0) return weights;
  const smallest = weights.slice(0, -1)[k - 1]?.each;
  if (smallest !== undefined)
    return weights.map((one, i) => (i < weights.length - 1 && one.each >= smallest ? one : none(one)));
  return weights.map((one, i) =>
    i < weights.length - 1 ? one : {...one, weight: one.each * Math.min(one.count, k - weights.length + 1)},
  );
}

function topP(weights: Weight[], p: number): Weight[] {
  if (p >= 1) return weights;
  const wanted = p * sum(weights);
  let before = 0;
  return weights.map((one) => {
    const keeps = before < wanted;
    // Of the rest, so many as are needed.
    const part = one.count > 1 ? Math.min(1, Math.ceil((wanted - before) / one.each) / one.count) : 1;
    before += one.weight;
    return keeps ? {...one, weight: one.weight * part} : none(one);
  });
}

function minP(weights: Weight[], p: number): Weight[] {
  const least = p * Math.max(...weights.map(({each}) => each));
  return p > 0 ? weights.map((one) => (one.each >= least ? one : none(one))) : weights;
}

export function cut(top: Pick<Candidate, 'logprob'>[], settings: CutSettings): Cut {
  const before = top.map(({logprob}) => Math.exp(logprob));
  const rest = Math.max(0, 1 - before.reduce((total, p) => total + p, 0));
  let weights: Weight[];
  if (settings.temperature <= 0) {
    weights = [
      ...before.map((_, i) => ({weight: i ? 0 : 1, each: i ? 0 : 1, count: 1})),
      {weight: 0, each: 0, count: 0},
    ];
  } else {
    weights = minP(
      topP(topK(heated(before, rest, settings.temperature), settings.top_k), settings.top_p),
      settings.min_p,
    );
  }
  const total = sum(weights) || 1;
  const rows = weights.map(({weight}, i) => ({before: before[i] ?? rest, after: weight / total}));
  const known = rows.slice(0, -1);
  return {
    rows: known,
    rest: rows.at(-1) ?? {before: rest, after: 0},
    kept: known.filter(({after}) => after > 0).length,
  };
}
