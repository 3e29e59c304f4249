// Bundles the page and writes it as C++ (page_assets.cc; see assets.h): every file gzip-compressed, named by its path on the
// server, with an ETag of its bytes. Fails where the whole is larger than the page may be.
//
// usage: node build.mjs OUT [--dev]      --dev: readable, not minified
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

const LIMIT = 150_000; // bytes, compressed, in all
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
const here = path.dirname(fileURLToPath(import.meta.url));

async function bundle(folder, minify) {
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  await build({
    entryPoints: {app: path.join(here, 'main.tsx')},
    outdir: path.join(folder, 'assets'),
    bundle: true,
    splitting: true, // what only some answers need (mathematics, code) is loaded when one does
    chunkNames: '[name]-[hash]',
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
  for (const name of readdirSync(path.join(here, 'static'))) {
    const to = name === 'index.html' ? folder : path.join(folder, 'assets');
    writeFileSync(path.join(to, name), readFileSync(path.join(here, 'static', name)));
  }
}

// What the page is made with asks for its licences to go along.
function licences(folder) {
  const {dependencies} = JSON.parse(readFileSync(path.join(here, 'package.json'), 'utf8'));
  const parts = Object.keys(dependencies)
    .filter((name) => name !== 'esbuild')
    .map((name) => {
      const home = path.join(here, '..', 'node_modules', name);
      const file = readdirSync(home).find((entry) => /^licen[cs]e/i.test(entry));
      return `${name}\n\n${readFileSync(path.join(home, file), 'utf8').trim()}\n`;
    });
  writeFileSync(path.join(folder, 'assets/licences.txt'), parts.join('\n\n'));
}

// "/" is index.html, everything else stands under "/assets/".
function collect(folder) {
  const names = readdirSync(path.join(folder, 'assets')).sort();
  const files = [['/', 'index.html'], ...names.map((name) => [`/assets/${name}`, `assets/${name}`])];
  return files.map(([url, file]) => {
    const bytes = readFileSync(path.join(folder, file));
    return {
      url,
      type: TYPES[path.extname(file)],
      gzip: gzipSync(bytes, {level: 9}),
      etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 24)}"`,
    };
  });
}

const octal = (byte) => `\\${byte.toString(8).padStart(3, '0')}`;

function literal(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 32)
    lines.push(`    "${[...bytes.subarray(at, at + 32)].map(octal).join('')}"`);
  return lines.join('\n');
}

function cpp(assets) {
  const data = assets.map(({gzip}, i) => `constexpr char kData${i}[] =\n${literal(gzip)};\n`).join('\n');
  const rows = assets
    .map(({url, type, gzip, etag}, i) => `    {"${url}", "${type}", {kData${i}, ${gzip.length}}, R"(${etag})"},\n`)
    .join('');
  return `// Written by the page's build.
#include "serve/web/assets.h"

namespace malssi {
namespace {

${data}
constexpr Asset kAssets[] = {
${rows}};

}  // namespace

std::span<const Asset> page_assets() { return kAssets; }

}  // namespace malssi
`;
}

const [out, mode] = process.argv.slice(2);
const folder = path.join(out, 'site');
await bundle(folder, mode !== '--dev');
licences(folder);
const assets = collect(folder);
const total = assets.reduce((sum, {gzip}) => sum + gzip.length, 0);
for (const {url, gzip} of assets) console.log(`${String(gzip.length).padStart(7)} ${url}`);
console.log(`${String(total).padStart(7)} of ${LIMIT} bytes`);
if (mode !== '--dev' && total > LIMIT) throw new Error(`the page takes ${total} bytes compressed, at most ${LIMIT}`);
writeFileSync(path.join(out, 'page_assets.cc'), cpp(assets));
