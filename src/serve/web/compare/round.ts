// Blind comparisons: who is compared, the votes, and the score. Without the page around it.
import {DEFAULT_SAMPLING, newId, type Sampling} from '../store/types';

export interface Contestant {
  model: string;
  system: string;
  sampling: Sampling;
}

// What was thought of the answers on the left and on the right.
export type Verdict = 'left' | 'right' | 'tie' | 'neither';

export interface Vote {
  id: string;
  time: number; // milliseconds since 1970
  prompt: string;
  left: Contestant & {text: string};
  right: Contestant & {text: string};
  verdict: Verdict;
}

export interface Score {
  name: string;
  wins: number;
  ties: number;
  losses: number;
}

export const contestant = (model: string): Contestant => ({model, system: '', sampling: DEFAULT_SAMPLING});

// Two different ones in random order: `random` gives numbers from 0 to below 1.
export function draw<T>(all: T[], random: () => number): [T, T] | null {
  if (all.length < 2) return null;
  const first = Math.floor(random() * all.length);
  const second = (first + 1 + Math.floor(random() * (all.length - 1))) % all.length;
  return [all[first] as T, all[second] as T];
}

// The model and what sets this contestant apart: "base · temperature 0.2".
export function nameOf({model, system, sampling}: Contestant): string {
  const set = Object.entries(sampling)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`);
  const prompt = system.trim() ? [`“${system.trim().slice(0, 30)}${system.trim().length > 30 ? '…' : ''}”`] : [];
  return [model, ...set, ...prompt].join(' · ');
}

export const vote = (prompt: string, left: Vote['left'], right: Vote['right'], verdict: Verdict): Vote => ({
  id: newId(),
  time: Date.now(),
  prompt,
  left,
  right,
  verdict,
});

// Best first, by the share of points: a win is one, a tie half.
export function scores(votes: Vote[]): Score[] {
  const all = new Map<string, Score>();
  const of = (one: Contestant): Score => {
    const name = nameOf(one);
    const score = all.get(name) ?? {name, wins: 0, ties: 0, losses: 0};
    all.set(name, score);
    return score;
  };
  for (const {left, right, verdict} of votes) {
    const [a, b] = [of(left), of(right)];
    if (verdict === 'left') (++a.wins, ++b.losses);
    else if (verdict === 'right') (++b.wins, ++a.losses);
    else (++a.ties, ++b.ties);
  }
  const share = ({wins, ties, losses}: Score) => (wins + ties / 2) / (wins + ties + losses);
  return [...all.values()].sort((a, b) => share(b) - share(a) || (a.name < b.name ? -1 : 1));
}

// A vote as the server takes it and as the file has it.
export function voteRecord({id, time, prompt, left, right, verdict}: Vote): object {
  const names = {left: 'a', right: 'b', tie: 'tie', neither: 'neither'};
  return {
    a: nameOf(left),
    b: nameOf(right),
    vote: names[verdict],
    prompt,
    answers: {a: left, b: right},
    id,
    time: Math.round(time / 1000),
  };
}

export const votesFile = (votes: Vote[]): string => votes.map((one) => `${JSON.stringify(voteRecord(one))}\n`).join('');
