// The browser's database. Where there is none (some private windows), everything is kept in memory and `lasting` is false.
type Table = 'conversations' | 'tokens' | 'votes';
const TABLES: Table[] = ['conversations', 'tokens', 'votes'];

const memory = new Map<Table, Map<string, unknown>>(TABLES.map((table) => [table, new Map()]));
let opened: Promise<IDBDatabase | null> | undefined;

function open(): Promise<IDBDatabase | null> {
  opened ??= new Promise((resolve) => {
    try {
      const request = indexedDB.open('malssi', 1);
      request.onupgradeneeded = () => TABLES.forEach((table) => request.result.createObjectStore(table));
      request.onsuccess = () => {
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}

export const lasting = async (): Promise<boolean> => (await open()) !== null;

async function run<T>(
  table: Table,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  const db = await open();
  if (!db) return undefined;
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(table, mode);
    const request = work(transaction.objectStore(table));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error(`${table}: not saved`));
  });
}

export async function put<T>(table: Table, id: string, value: T): Promise<void> {
  memory.get(table)?.set(id, value);
  await run(table, 'readwrite', (store) => store.put(value, id));
  if (await lasting()) memory.get(table)?.delete(id);
}

export async function read<T>(table: Table, id: string): Promise<T | undefined> {
  const kept = memory.get(table)?.get(id);
  return (kept ?? (await run<T>(table, 'readonly', (store) => store.get(id) as IDBRequest<T>))) as T | undefined;
}

export async function readAll<T>(table: Table): Promise<T[]> {
  const stored = (await run<T[]>(table, 'readonly', (store) => store.getAll() as IDBRequest<T[]>)) ?? [];
  return (await lasting()) ? stored : ([...(memory.get(table)?.values() ?? [])] as T[]);
}

export async function remove(table: Table, id: string): Promise<void> {
  memory.get(table)?.delete(id);
  await run(table, 'readwrite', (store) => store.delete(id));
}

export async function clear(table: Table): Promise<void> {
  memory.get(table)?.clear();
  await run(table, 'readwrite', (store) => store.clear());
}
