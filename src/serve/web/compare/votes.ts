// Votes: kept in the browser, and sent to the server where it collects them.
import {request, TroubleError} from '../api/client';
import * as db from '../store/db';
import {Observable} from '../store/observable';
import {type Vote, voteRecord} from './round';

export const votes = new Observable<Vote[]>([]);
// null: not known yet.
export const serverCollects = new Observable<boolean | null>(null);

export async function loadVotes(): Promise<void> {
  votes.set((await db.readAll<Vote>('votes')).sort((a, b) => a.time - b.time));
}

export async function castVote(vote: Vote): Promise<void> {
  votes.update((all) => [...all, vote]);
  await db.put('votes', vote.id, vote).catch(() => undefined);
  if (serverCollects.get() === false) return;
  try {
    await request('/malssi/votes', voteRecord(vote));
    serverCollects.set(true);
  } catch (error) {
    if (error instanceof TroubleError && error.trouble.kind === 'refused') serverCollects.set(false);
  }
}

export async function clearVotes(): Promise<void> {
  votes.set([]);
  await db.clear('votes');
}
