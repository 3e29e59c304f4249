// A browser for the tests, and what every page must keep to: no error on the console, no request to elsewhere, no serious
// accessibility fault.
import assert from 'node:assert/strict';
import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {after, before} from 'node:test';
import {chromium} from 'playwright-core';
import {startStandIn} from './stand_in.mjs';

export const SITE = process.env.PAGE_SITE;
export const SHOTS = process.env.PAGE_SHOTS;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--force-color-profile=srgb',
  '--hide-scrollbars',
];
export const DESKTOP = {width: 1280, height: 800};
export const PHONE = {width: 390, height: 844};

export const startServer = () => startStandIn(SITE);

// One browser for all files of tests, each with a profile of its own.
let launched;
export async function startBrowser() {
  launched ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
    headless: true,
    timeout: 60_000,
  });
  const browser = await launched;
  const context = await browser.newContext({viewport: DESKTOP});
  return {browser, context, close: () => context.close()};
}
export const endBrowser = async () => (await launched)?.close();

// A page in a state of its own. `expected`: parts of console errors that the test brings about itself.
export async function open(
  context,
  url,
  {viewport = DESKTOP, locale = 'en', colour = 'light', hash = '', expected = []} = {},
) {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  const heard = (text) => {
    if (!expected.some((part) => text.includes(part))) faults.push(text);
  };
  page.on('console', (message) => message.type() === 'error' && heard(`console: ${message.text()}`));
  page.on('pageerror', (error) => heard(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('blob:')) heard(`request: ${request.url()}`);
  });
  await page.setViewportSize(viewport);
  await page.emulateMedia({colorScheme: colour, reducedMotion: 'reduce'});
  await page.addInitScript((language) => {
    if (sessionStorage.getItem('test')) return; // it was this tab's before, and may have been changed
    sessionStorage.setItem('test', 'begun');
    localStorage.setItem('malssi.preferences', JSON.stringify({language}));
  }, locale);
  await page.goto(`${url}/${hash}`);
  await page.locator('main').waitFor();
  return {page, faults};
}

// For all tests of a file: a server that stands in for the program, a browser, and open() with both.
export function useStage() {
  const stage = {open: (options) => open(stage.browser.context, stage.server.url, options)};
  before(async () => {
    stage.server = await startServer();
    stage.browser = await startBrowser();
  });
  after(async () => {
    await stage.browser.close();
    await stage.server.close();
  });
  return stage;
}

// Everything that was kept is forgotten.
export async function forget(page) {
  await page.evaluate(async () => {
    localStorage.clear();
    sessionStorage.clear();
    for (const {name} of await indexedDB.databases())
      await new Promise((done) =>
        Object.assign(indexedDB.deleteDatabase(name), {onsuccess: done, onerror: done, onblocked: done}),
      );
  });
}

// What the page shows comes when it comes: the check is made again until it holds, or for the last time.
export async function eventually(check, milliseconds = 15_000) {
  for (const end = Date.now() + milliseconds; Date.now() < end; await new Promise((done) => setTimeout(done, 30)))
    try {
      return await check();
    } catch {}
  return check();
}

export async function ask(page, text) {
  const before = await page.locator('.message').count();
  await page.locator('.composer textarea').fill(text);
  await page.keyboard.press('Enter');
  await page.locator('.message').nth(before).waitFor();
}

// The browser keeps a conversation with this text.
export const kept = (page, text) =>
  eventually(async () => {
    const all = await page.evaluate(async () => {
      const asked = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
      const found = [];
      for (const {name} of await indexedDB.databases()) {
        const database = await asked(indexedDB.open(name));
        for (const store of database.objectStoreNames)
          found.push(...(await asked(database.transaction(store).objectStore(store).getAll())));
        database.close();
      }
      return JSON.stringify(found);
    });
    assert.ok(all.includes(text), all);
  });

export const answered = (page) => page.locator('.composer button[type=submit]').waitFor({timeout: 60_000});

// The last answer shown says this: the whole of it, or what the expression finds.
export async function says(page, what) {
  const prose = page.locator('.message').last().locator('.prose');
  const whole = typeof what === 'string' ? new RegExp(`^\\s*${what}\\s*$`) : what;
  await prose.filter({hasText: whole}).waitFor();
}

export async function shoot(page, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, {recursive: true});
  await page.screenshot({path: path.join(SHOTS, `${name}.png`)});
}

// Serious and critical faults, in light and in dark.
export async function checkAccessible(page, what) {
  for (const colour of ['light', 'dark']) {
    await page.emulateMedia({colorScheme: colour, reducedMotion: 'reduce'});
    const found =
      await page.evaluate(`${AXE}; axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations
      .filter(({impact}) => impact === 'serious' || impact === 'critical')
      .map(({id, nodes}) => id + ': ' + nodes.slice(0, 3).map((node) => node.html.slice(0, 120) + ' ' + node.any.map(({message}) => message).join(' ')).join(' | ')))`);
    assert.deepEqual(found, [], `${what}, ${colour}`);
  }
  await page.emulateMedia({colorScheme: 'light', reducedMotion: 'reduce'});
}
