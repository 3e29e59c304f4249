// Training runs, as the server finds them in its folder.
import {getJson} from './client';

export interface Run {
  name: string;
  kind: string;
  step: number;
  steps: number | null;
  updated: number; // seconds since 1970
}

// A line of a run's metrics.jsonl: numbers by name, null where not measured.
export type Metrics = Record<string, number | null> & {step: number};

export async function listRuns(): Promise<Run[]> {
  const found = await getJson<Run[] | {runs?: Run[]; data?: Run[]}>('/malssi/runs');
  const runs = Array.isArray(found) ? found : (found.runs ?? found.data ?? []);
  return [...runs].sort((a, b) => b.updated - a.updated);
}

export async function runMetrics(name: string, after: number | null): Promise<Metrics[]> {
  const query = after === null ? '' : `?after=${after}`;
  return (await getJson<{metrics: Metrics[]}>(`/malssi/runs/${encodeURIComponent(name)}${query}`)).metrics;
}
