// The models that the server offers.
import {Observable} from '../store/observable';
import type {Trouble} from '../store/types';
import {getJson, reachable, TroubleError} from './client';

export interface Models {
  names: string[];
  loading: boolean;
  trouble: Trouble | null;
}

export const models = new Observable<Models>({names: [], loading: true, trouble: null});

export async function loadModels(): Promise<void> {
  try {
    const {data} = await getJson<{data: {id: string}[]}>('/v1/models');
    models.set({names: data.map(({id}) => id), loading: false, trouble: null});
  } catch (error) {
    const trouble: Trouble = error instanceof TroubleError ? error.trouble : {kind: 'server', message: String(error)};
    models.update((now) => ({...now, loading: false, trouble}));
  }
}

reachable.watch((yes) => {
  if (yes && models.get().trouble) void loadModels();
});
