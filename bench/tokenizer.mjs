#!/usr/bin/env node
// Encoding speed per core against tokenizers of the npm registry, and the time to train a vocabulary. Not part of ./check.
//   npm install --prefix /tmp/peers --ignore-scripts tokenizers tiktoken gpt-tokenizer @huggingface/transformers
//   node bench/tokenizer.mjs /tmp/peers/node_modules build/release/malssi ../shared/data [--rounds 5] [--train]
// Everyone encodes the same text with GPT-2's vocabulary, in turns; figures are medians of processor time, so that other
// work on the machine counts little. Ours starts cold in every round; the peers keep their caches from round to round.
// --train: 100 MB (all text of the data folder, then its lines again with one word in twelve made up) to 32,000 tokens.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, malssi, data] = process.argv.slice(2, 5).map((p) => path.resolve(p ?? ''));
const flag = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = flag('--rounds', 5);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'malssi-bench-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
const require = createRequire(modules + '/');
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

function filesIn(folder, pattern) {
  return fs.readdirSync(folder, { recursive: true }).filter((f) => pattern.test(f)).sort().map((f) => path.join(folder, f));
}
const readAll = (files) => files.map((f) => fs.readFileSync(f, 'utf8')).join('\n');

// ---- encoding

function gpt2Folder() {
  const folder = path.join(scratch, 'gpt2');
  fs.mkdirSync(folder);
  fs.copyFileSync(path.join(data, 'weights/gpt2_encoder.json'), path.join(folder, 'encoder.json'));
  fs.copyFileSync(path.join(data, 'weights/gpt2_vocab.bpe'), path.join(folder, 'vocab.bpe'));
  return folder;
}

function gpt2Json() {
  const vocab = JSON.parse(fs.readFileSync(path.join(data, 'weights/gpt2_encoder.json'), 'utf8'));
  const merges = fs.readFileSync(path.join(data, 'weights/gpt2_vocab.bpe'), 'utf8').split('\n').slice(1).filter((l) => l);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: byteLevel,
    post_processor: null, decoder: byteLevel,
    model: { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
      fuse_unk: false, byte_fallback: false, vocab, merges } };
}

async function makePeers() {
  const file = path.join(scratch, 'gpt2.json');
  fs.writeFileSync(file, JSON.stringify(gpt2Json()));
  const { Tokenizer } = require('tokenizers');
  const rust = Tokenizer.fromFile(file);
  const wasm = require('tiktoken').get_encoding('gpt2');
  const script = require('gpt-tokenizer/cjs/encoding/gpt2');
  const entry = path.join(modules, '@huggingface/transformers/dist/transformers.node.mjs');
  const { PreTrainedTokenizer } = await import(pathToFileURL(entry).href);
  const transformers = new PreTrainedTokenizer(gpt2Json(), { tokenizer_class: 'GPT2Tokenizer' });
  return [
    { name: 'tokenizers (Rust)', encode: async (t) => (await rust.encode(t, null, { addSpecialTokens: false })).getIds().length },
    { name: 'tiktoken (Rust, WASM)', encode: async (t) => wasm.encode(t, [], []).length },
    { name: 'gpt-tokenizer (JS)', encode: async (t) => script.encode(t).length },
    { name: 'transformers.js (JS)', encode: async (t) => transformers.encode(t).length, slow: true },
  ];
}

function ours(folder, file) {
  const out = execFileSync(malssi, ['tokenizer', 'info', folder, '--data', file, '--json'], { encoding: 'utf8' });
  return JSON.parse(out).measured;
}

async function compare(name, text, peers, folder) {
  const file = path.join(scratch, name + '.txt');
  fs.writeFileSync(file, text);
  const bytes = fs.statSync(file).size;
  const speeds = new Map([['malssi', []], ...peers.map((p) => [p.name, []])]);
  let expected = 0;
  for (let round = 0; round < rounds; ++round) {
    const measured = ours(folder, file);
    speeds.get('malssi').push(measured.megabytes_per_second);
    expected = measured.tokens;
    for (const peer of peers) {
      const sample = peer.slow ? text.slice(0, 1 << 18) : text;
      const before = process.cpuUsage();
      const tokens = await peer.encode(sample);
      const used = process.cpuUsage(before);
      speeds.get(peer.name).push(Buffer.byteLength(sample) / (used.user + used.system));
      if (!peer.slow && tokens !== expected) throw new Error(`${peer.name} gives ${tokens} tokens, malssi ${expected}`);
    }
  }
  const own = median(speeds.get('malssi'));
  console.log(`\n${name}: ${(bytes / 1e6).toFixed(1)} MB, ${expected} tokens (all alike), medians of ${rounds}`);
  for (const [who, list] of speeds)
    console.log(`  ${who.padEnd(24)} ${median(list).toFixed(2).padStart(8)} MB/s per core` +
      (who === 'malssi' ? '' : `   malssi is ${(own / median(list)).toFixed(1)} times as fast`));
}

// ---- training

function trainingCorpus() {
  let state = 1;
  const below = (n) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n;
  const folders = ['cls', 'detect', 'eval', 'ko', 'lm', 'pref', 'rag', 'safety', 'sft'];
  const text = readAll(folders.flatMap((f) => filesIn(path.join(data, f), /\.(txt|tsv|csv|json|jsonl|neg|pos)$/)));
  const lines = text.split('\n');
  const file = path.join(scratch, 'corpus.txt');
  const out = fs.openSync(file, 'w');
  let bytes = fs.writeSync(out, text);
  const real = bytes;
  while (bytes < 100e6) {
    let part = '';
    while (part.length < 1 << 20) {
      const words = lines[(below(1 << 16) * 65536 + below(1 << 16)) % lines.length].split(' ');
      part += words.map((w) => (w.length < 4 || below(4096) % 12 ? w : w.slice(0, 2 + below(64) % (w.length - 2)) +
        lines[(below(1 << 16) * 65536 + below(1 << 16)) % lines.length].slice(-3))).join(' ') + '\n';
    }
    bytes += fs.writeSync(out, part);
  }
  fs.closeSync(out);
  console.log(`\ntraining text: ${(bytes / 1e6).toFixed(1)} MB, ${(real / 1e6).toFixed(1)} MB of it as found`);
  return file;
}

function train() {
  const corpus = trainingCorpus();
  for (const pattern of ['gpt2', 'llama3']) {
    const times = [];
    for (let round = 0; round < 3; ++round) {
      const out = execFileSync(malssi, ['tokenizer', 'train', '--data', corpus, '--vocab-size', '32000', '--pattern', pattern,
        '--out', path.join(scratch, pattern + '.json'), '--json', '--quiet'], { encoding: 'utf8' });
      times.push(JSON.parse(out).seconds);
    }
    console.log(`  32,000 tokens, pattern ${pattern}: ${median(times).toFixed(1)} s (median of 3, ${os.availableParallelism()} cores)`);
    const tokenizer = path.join(scratch, pattern + '.json');
    for (const file of filesIn(path.join(data, 'ko'), /\.(tsv|csv|json|jsonl)$/)) {
      const copy = path.join(scratch, 'sample.txt');
      fs.copyFileSync(file, copy);
      const m = ours(tokenizer, copy);
      console.log(`    ${path.basename(file).padEnd(28)} ${m.bytes_per_token.toFixed(2)} bytes, ` +
        `${m.characters_per_token.toFixed(2)} characters a token`);
    }
  }
}

if (process.argv.includes('--train')) {
  train();
} else {
  const folder = gpt2Folder();
  const peers = await makePeers();
  const most = (text) => text.slice(0, 3 << 20);
  await compare('English', most(readAll(filesIn(path.join(data, 'lm'), /\.txt$/))), peers, folder);
  await compare('Korean', most(readAll(filesIn(path.join(data, 'ko'), /\.(tsv|csv)$/))).slice(0, 1 << 20), peers, folder);
  await compare('C++', most(readAll(filesIn(path.join(path.dirname(new URL(import.meta.url).pathname), '../src'), /\.(cc|h)$/)).replaceAll('<|', '< |')), peers, folder);
}
