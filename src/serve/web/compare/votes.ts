// Votes: kept in the browser, and sent to the server where it collects them.
import {getJson, request} from '../api/client';
import * as db from '../store/db';
import {Observable} from '../store/observable';
import {type Vote, voteRecord} from './round';

export const votes = new Observable<Vote[]>([]);
// null: not known.
export const serverCollects = new Observable<boolean | null>(null);

export async function loadVotes(): Promise<void> {
  votes.set((await db.readAll<Vote>('votes')).sort((a, b) => a.time - b.time));
}

const isCollecting = async (): Promise<boolean> =>
  serverCollects.get() ?? (await getJson<{kept: boolean}>('/malssi/votes')).kept;

export async function castVote(vote: Vote): Promise<void> {
  votes.update((all) => [...all, vote]);
  await db.put('votes', vote.id, vote).catch(() => undefined);
  try {
    const kept = await isCollecting();
    if (kept) await request('/malssi/votes', voteRecord(vote));
    serverCollects.set(kept);
  } catch {
    serverCollects.set(null); // it is not there, or full: the vote stays here
  }
}

export async function clearVotes(): Promise<void> {
  votes.set([]);
  await db.clear('votes');
}
