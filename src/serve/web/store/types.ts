// What the page keeps. Times are milliseconds since 1970.

// null: as the model's own settings say.
export interface Sampling {
  temperature: number | null;
  top_p: number | null;
  top_k: number | null;
  min_p: number | null;
  typical_p: number | null;
  repetition_penalty: number | null;
  max_tokens: number | null;
  seed: number | null;
}

export const DEFAULT_SAMPLING: Sampling = {
  temperature: null,
  top_p: null,
  top_k: null,
  min_p: null,
  typical_p: null,
  repetition_penalty: null,
  max_tokens: null,
  seed: null,
};

// Why an answer failed or broke off: what kind of thing, and the server's own words.
export interface Trouble {
  kind: 'offline' | 'key' | 'busy' | 'refused' | 'server' | 'broken';
  message: string;
  retryAt?: number;
  param?: string; // the field of the request at fault
}

export interface Speed {
  tokens: number;
  seconds: number; // from the first token to the last
  wait: number; // seconds to the first token
}

export interface Message {
  id: string;
  parent: string | null; // null: a beginning
  role: 'user' | 'assistant';
  text: string;
  made: number;
  model?: string;
  state?: 'writing' | 'stopped' | 'full'; // full: it ended at the limit of tokens
  trouble?: Trouble;
  speed?: Speed;
}

// A tree of messages; `chosen` says which child of a message is shown (ROOT: which beginning).
export interface Conversation {
  id: string;
  title: string;
  made: number;
  changed: number;
  model: string | null;
  system: string;
  sampling: Sampling;
  adapters?: Record<string, number>; // the model's, by name: how much of each
  messages: Record<string, Message>;
  chosen: Record<string, string>;
}

// A candidate for a place in an answer, with its natural-log probability before any sampling setting.
export interface Candidate {
  text: string;
  bytes: number[];
  logprob: number;
}

export interface Token extends Candidate {
  top: Candidate[]; // likeliest first
}

export const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, '0')).join('');
};
