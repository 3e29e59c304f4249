// What the whole page keeps to: troubles, hostile texts, languages, files, phones.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {startStandIn} from '../stand_in.mjs';
import {HOSTILE} from '../hostile.mjs';
import {answered, ask, checkAccessible, forget, kept, open, PHONE, says, shoot, SITE, useStage} from '../browser.mjs';

const stage = useStage();

test('a busy server says when to come back', async () => {
  const {page, faults} = await stage.open({expected: ['429']});
  await page.locator('.starters').waitFor();
  stage.server.state.busy = 2;
  await ask(page, 'echo later');
  await page.getByText('The server is busy.').waitFor();
  await page.getByRole('button', {name: /Try again in [12] s/}).waitFor();
  await shoot(page, 'busy');
  await checkAccessible(page, 'busy');
  stage.server.state.busy = 0;
  await page.getByRole('button', {name: 'Try again', exact: true}).click();
  await answered(page);
  await says(page, 'later');
  assert.deepEqual(faults, []);
  await page.close();
});

test('a server with keys is given one, which the tab keeps', async () => {
  stage.server.state.key = 'open sesame';
  const {page, faults} = await stage.open({expected: ['401']});
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('API key').fill('wrong');
  await dialog.getByRole('button', {name: 'Save'}).click();
  await dialog.getByLabel('API key').waitFor();
  await checkAccessible(page, 'key');
  await dialog.getByLabel('API key').fill('open sesame');
  await dialog.getByRole('button', {name: 'Save'}).click();
  await dialog.waitFor({state: 'detached'});
  await ask(page, 'echo let in');
  await answered(page);
  await kept(page, '"let in');
  await page.reload();
  await page.locator('.message').last().waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes('sesame')), false);
  stage.server.state.key = '';
  await forget(page);
  assert.deepEqual(faults, []);
  await page.close();
});

test('a server that goes away is missed, and found again', async () => {
  const other = await startStandIn(SITE);
  const {page, faults} = await open(stage.browser.context, other.url, {
    expected: ['ERR_CONNECTION_REFUSED', 'ERR_INCOMPLETE', 'ERR_EMPTY', 'ERR_SOCKET'],
  });
  await page.locator('.starters').waitFor();
  other.state.broken = true;
  await ask(page, 'echo one two three four five six seven eight nine ten');
  await page.getByText('The answer broke off before its end.').waitFor();
  await says(page, /^one two/);
  await other.close();
  await ask(page, 'echo anyone?');
  await page.locator('.banner').waitFor();
  await shoot(page, 'gone');
  const again = await startStandIn(SITE, other.port);
  await page.locator('.banner').waitFor({state: 'detached'});
  await page.getByRole('button', {name: 'Try again'}).last().click();
  await answered(page);
  assert.deepEqual(faults, []);
  await page.close();
  await again.close();
});

test('hostile texts are shown and do nothing', async () => {
  const {page, faults} = await stage.open();
  await page.evaluate(() => {
    window.harmed = [];
    for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => window.harmed.push(name);
  });
  page.on('dialog', (dialog) => void dialog.dismiss());
  await ask(page, `echo ${HOSTILE.join('\n\n')}`);
  await answered(page);
  await page.waitForTimeout(300);
  const found = await page.locator('.message.assistant').evaluate((answer) => ({
    elements: [...new Set([...answer.querySelectorAll('*')].map((one) => one.localName))],
    handlers: [...answer.querySelectorAll('*')].flatMap((one) =>
      one
        .getAttributeNames()
        .filter(
          (name) =>
            name.startsWith('on') ||
            ['src', 'srcdoc', 'formaction', 'xlink:href', 'style', 'id', 'name'].includes(name),
        ),
    ),
    links: [...answer.querySelectorAll('[href]')].map((one) => one.getAttribute('href')),
  }));
  const bad = [
    'script',
    'iframe',
    'img',
    'object',
    'embed',
    'form',
    'base',
    'meta',
    'link',
    'style',
    'video',
    'audio',
    'template',
    'foreignobject',
    'use',
    'set',
    'animate',
    'image',
    'textarea',
    'select',
    'dialog',
  ];
  assert.deepEqual(
    found.elements.filter((name) => bad.includes(name)),
    [],
  );
  assert.deepEqual(
    found.handlers.filter((name) => name !== 'style'),
    [],
  );
  assert.deepEqual(
    found.links.filter((link) => !/^(https?|mailto):/.test(link)),
    [],
  );
  assert.deepEqual(await page.evaluate(() => window.harmed), []);
  assert.ok((await page.locator('.message.assistant').innerText()).includes('<script>'));
  assert.deepEqual(faults, []);
  await page.close();
});

test('the page speaks Korean, and is dark where it should be', async () => {
  const {page, faults} = await stage.open({locale: 'auto'});
  await forget(page);
  await page.reload();
  await page.getByRole('button', {name: 'Preferences'}).click();
  await page.getByText('한국어').click();
  await page.getByText('어둡게').click();
  await page.waitForFunction(() => document.documentElement.lang === 'ko');
  await page.waitForFunction(() => getComputedStyle(document.documentElement).colorScheme === 'dark');
  await shoot(page, 'preferences');
  await checkAccessible(page, 'preferences');
  await page.keyboard.press('Escape');
  await page.getByRole('button', {name: '새 대화'}).waitFor();
  await page.reload();
  await page.getByRole('button', {name: '새 대화'}).waitFor();
  await page.evaluate(() => localStorage.clear());
  assert.deepEqual(faults, []);
  await page.close();
});

test('conversations leave as a file and come back', async () => {
  const {page, faults} = await stage.open();
  await forget(page);
  await page.reload();
  await ask(page, 'echo to be kept');
  await answered(page);
  await page.getByRole('button', {name: 'Preferences'}).click();
  const dialog = page.getByRole('dialog');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', {name: 'Export all'}).click(),
  ]);
  const exported = await file.path();
  assert.equal(JSON.parse(readFileSync(exported, 'utf8')).conversations.length, 1);
  const [markdown] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', {name: 'This one as Markdown'}).click(),
  ]);
  assert.match(readFileSync(await markdown.path(), 'utf8'), /## malssi-base\n\nto be kept/);
  page.on('dialog', (question) => void question.accept());
  await dialog.getByRole('button', {name: 'Delete all'}).click();
  await dialog
    .locator('input[type=file]')
    .setInputFiles({name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('{}')});
  await dialog.getByText('holds no conversations').waitFor();
  await dialog
    .locator('input[type=file]')
    .setInputFiles({name: 'x.json', mimeType: 'application/json', buffer: readFileSync(exported)});
  await dialog.getByText('One conversation was added.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('link', {name: 'echo to be kept'}).click();
  await says(page, 'to be kept');
  assert.deepEqual(faults, []);
  await page.close();
});

test('a phone has it all, one over the other', async () => {
  const {page, faults} = await stage.open({viewport: PHONE, locale: 'ko', colour: 'dark'});
  await page.locator('.starters').waitFor();
  await shoot(page, 'phone_empty');
  await ask(page, '하늘은 왜 파란가요?');
  await answered(page);
  await shoot(page, 'phone_chat');
  await page.getByRole('button', {name: '메뉴'}).click();
  await page.getByRole('link', {name: '하늘은 왜 파란가요?'}).waitFor();
  await page.waitForTimeout(100);
  await shoot(page, 'phone_menu');
  await checkAccessible(page, 'phone, menu');
  await page.emulateMedia({colorScheme: 'dark', reducedMotion: 'reduce'});
  await page.getByRole('link', {name: '대화', exact: true}).click();
  await page.locator('.message').last().getByRole('button', {name: '토큰 보기'}).click();
  await page.locator('[role=option]').nth(5).click();
  await page.locator('.panel').waitFor();
  await shoot(page, 'phone_tokens');
  await checkAccessible(page, 'phone, tokens');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
  assert.deepEqual(faults, []);
  await page.close();
});
