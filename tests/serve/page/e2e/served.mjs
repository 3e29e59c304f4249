// The page as the program itself serves it, with two small models trained for the tests.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {answered, ask, checkAccessible, eventually, open, says, startBrowser} from '../browser.mjs';

const {MALSSI: program = '', MALSSI_MODELS: models = ''} = process.env;
const skip =
  !existsSync(program) || !existsSync(path.join(models, 'chat/model'))
    ? 'needs MALSSI, the program, and MALSSI_MODELS, what tests/e2e/make_models.py trains'
    : false;

let server, browser, url, folder;
before(async () => {
  if (skip) return;
  folder = mkdtempSync(path.join(os.tmpdir(), 'malssi-page-served-'));
  const argv = [
    'serve',
    '--model',
    `chat=${models}/chat/model`,
    '--model',
    `base=${models}/base/model`,
    '--runs',
    models,
    '--votes',
    path.join(folder, 'votes.jsonl'),
    '--port',
    '0',
    '--log',
    'none',
  ];
  server = spawn(program, argv, {stdio: ['ignore', 'ignore', 'pipe'], env: {...process.env, MALSSI_API_KEYS: ''}});
  url = await new Promise((done, failed) => {
    let said = '';
    server.stderr.on('data', (part) => {
      said += part;
      const found = /ready: .* at (http:\/\/\S+)\/v1/.exec(said);
      if (found) done(found[1]);
    });
    server.on('exit', () => failed(new Error(said)));
  });
  browser = await startBrowser();
});
after(async () => {
  if (skip) return;
  await browser.close();
  server.kill('SIGTERM');
  const code = await new Promise((done) =>
    server.exitCode === null ? server.on('exit', done) : done(server.exitCode),
  );
  rmSync(folder, {recursive: true, force: true});
  assert.equal(code, 0);
});

test('a conversation, its tokens, and another way on', {skip}, async () => {
  const {page, faults} = await open(browser.context, url);
  await page.getByRole('button', {name: 'Settings of this chat'}).click();
  await page.getByLabel('Longest answer').fill('24');
  await page.getByLabel('Longest answer').press('Tab');
  await ask(page, 'Who likes tea?');
  await answered(page);
  const answer = page.locator('.message').last();
  await says(page, /\S/);
  await answer.locator('.facts', {hasText: /^chat/}).waitFor();
  await answer.getByRole('button', {name: 'Show tokens'}).click();
  await page.locator('[role=option]').nth(1).click();
  await eventually(async () => assert.equal(await page.locator('.candidates button').count(), 20));
  await checkAccessible(page, 'tokens');
  const other = page.locator('.candidates button:not([aria-current]):not(:disabled)').first();
  await other.click();
  await answered(page);
  await answer.locator('.branches', {hasText: /2 \/ 2/}).waitFor();
  await says(page, /\S/);
  assert.equal(await page.locator('.trouble').count(), 0);
  assert.deepEqual(faults, []);
  await page.close();
});

test('a comparison, whose vote the server writes down', {skip}, async () => {
  const {page, faults} = await open(browser.context, url, {hash: '#/compare?models=chat,base'});
  for (const place of [0, 1]) {
    await page.locator('.contestants summary').nth(place).click();
    await page.locator('.contestants fieldset').nth(place).getByLabel('Longest answer').fill('16');
    await page.locator('.contestants fieldset').nth(place).getByLabel('Longest answer').press('Tab');
  }
  await page.getByLabel('A prompt for both').fill('Who likes rain?');
  await page.keyboard.press('Enter');
  await page.getByRole('button', {name: 'Equally good'}).click();
  await page.getByText('The server has noted your vote.').waitFor();
  const vote = JSON.parse(readFileSync(path.join(folder, 'votes.jsonl'), 'utf8'));
  assert.equal(vote.vote, 'tie');
  assert.equal(vote.prompt, 'Who likes rain?');
  assert.deepEqual([vote.answers.a.model, vote.answers.b.model].sort(), ['base', 'chat']);
  assert.deepEqual(faults, []);
  await page.close();
});

test('the curves of real runs', {skip}, async () => {
  const {page, faults} = await open(browser.context, url, {hash: '#/runs'});
  await page.locator('.chart path').first().waitFor();
  await eventually(async () => {
    assert.ok((await page.locator('.chart figcaption').allInnerTexts()).includes('Loss'));
    assert.deepEqual((await page.locator('.run-list .name').allInnerTexts()).sort(), ['base', 'chat']);
  });
  assert.deepEqual(faults, []);
  await page.close();
});
