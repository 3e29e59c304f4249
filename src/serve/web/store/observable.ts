// A value that components watch: they are drawn again when the part of it they look at has changed.
import {useEffect, useState} from 'preact/hooks';

export class Observable<T> {
  private watchers = new Set<(value: T) => void>();
  constructor(private value: T) {}

  get(): T {
    return this.value;
  }
  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const watcher of [...this.watchers]) watcher(value);
  }
  update(change: (value: T) => T): void {
    this.set(change(this.value));
  }
  watch(watcher: (value: T) => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}

export function useSlice<T, S>(source: Observable<T>, select: (value: T) => S): S {
  const [, redraw] = useState(0);
  const slice = select(source.get());
  useEffect(() => {
    let last = select(source.get());
    if (!Object.is(last, slice)) redraw((n) => n + 1);
    return source.watch((value) => {
      const next = select(value);
      if (Object.is(next, last)) return;
      last = next;
      redraw((n) => n + 1);
    });
  }, [source, slice]);
  return slice;
}

export const useValue = <T>(source: Observable<T>): T => useSlice(source, (value) => value);
