// Runs and their metrics, asked for again while the view is open and seen: only what came since.
import {useEffect, useRef, useState} from 'preact/hooks';
import {TroubleError} from '../api/client';
import {listRuns, type Metrics, type Run, runMetrics} from '../api/runs';
import type {Trouble} from '../store/types';

const EVERY = 2000; // milliseconds

const troubleOf = (error: unknown): Trouble =>
  error instanceof TroubleError ? error.trouble : {kind: 'server', message: String(error)};

// work says whether there is any use in asking again.
function useEvery(work: () => Promise<boolean>, dependencies: unknown[]): void {
  useEffect(() => {
    let open = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = async () => {
      const useful = document.hidden || (await work());
      if (open && useful) timer = setTimeout(() => void again(), EVERY);
    };
    void again();
    return () => {
      open = false;
      clearTimeout(timer);
    };
  }, dependencies);
}

export function useRuns(): {runs: Run[] | null; trouble: Trouble | null} {
  const [state, setState] = useState<{runs: Run[] | null; trouble: Trouble | null}>({runs: null, trouble: null});
  useEvery(async () => {
    try {
      setState({runs: await listRuns(), trouble: null});
      return true;
    } catch (error) {
      const trouble = troubleOf(error);
      setState(({runs}) => ({runs, trouble}));
      return trouble.kind !== 'refused'; // this server has no runs to show
    }
  }, []);
  return state;
}

export function useMetrics(names: string[]): ReadonlyMap<string, Metrics[]> {
  const [all, setAll] = useState<ReadonlyMap<string, Metrics[]>>(new Map());
  const known = useRef(all);
  useEvery(async () => {
    const next = new Map(known.current);
    for (const name of names) {
      const lines = next.get(name) ?? [];
      const added = await runMetrics(name, lines.at(-1)?.step ?? null).catch(() => []);
      if (added.length || !next.has(name)) next.set(name, [...lines, ...added]);
    }
    if (names.some((name) => next.get(name) !== known.current.get(name))) setAll((known.current = next));
    return true;
  }, [names.join('\n')]);
  return all;
}
