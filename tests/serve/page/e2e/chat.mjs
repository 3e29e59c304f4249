// Conversations, in a real browser.
import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {answered, ask, checkAccessible, eventually, forget, kept, says, shoot, useStage} from '../browser.mjs';

const stage = useStage();
let page, faults;
beforeEach(async () => ({page, faults} = await stage.open()));
afterEach(async () => {
  await forget(page);
  await page.close();
  assert.deepEqual(faults, []);
});

const messages = () => page.locator('.message');
const last = () => messages().last();

test('a conversation begins with what can be asked', async () => {
  await page.getByRole('button', {name: 'Tell me a short story.'}).waitFor();
  await shoot(page, 'empty');
  await checkAccessible(page, 'empty chat');
  await page.getByRole('button', {name: 'Tell me a short story.'}).click();
  await answered(page);
  await eventually(async () => assert.equal(await messages().count(), 2));
});

test('an answer is Markdown, with a table, mathematics and coloured code', async () => {
  await ask(page, 'Why is the sky blue?');
  await answered(page);
  await last()
    .locator('h4', {hasText: /^Why the sky is blue$/})
    .waitFor();
  await eventually(async () => assert.equal(await last().locator('tbody tr').count(), 3));
  await last().locator('math mfrac').waitFor();
  await last().locator('.hljs-keyword').first().waitFor();
  await last()
    .locator('.facts', {hasText: /^malssi-base · \d+ tokens, \d+/})
    .waitFor();
  await page.locator('.scroll').evaluate((area) => area.scrollTo(0, 0));
  await eventually(async () =>
    assert.match(
      await page.locator('[aria-live=polite]').innerText(),
      /^The answer is complete: .*Why the sky is blue/,
    ),
  );
  await shoot(page, 'chat');
  await checkAccessible(page, 'an answer');
  await stage.browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await last().getByRole('button', {name: 'Copy code'}).click();
  await eventually(async () =>
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^def scattered/),
  );
  const link = last().locator('a');
  assert.deepEqual(
    [await link.getAttribute('target'), await link.getAttribute('rel')],
    ['_blank', 'noopener noreferrer nofollow'],
  );
});

test('answers and questions have alternatives, and both stay', async () => {
  await ask(page, 'echo first');
  await answered(page);
  await last().hover();
  await last().getByRole('button', {name: 'Answer again'}).click();
  await answered(page);
  await last()
    .locator('.branches', {hasText: /2 \/ 2/})
    .waitFor();
  await last().getByRole('button', {name: 'Previous alternative'}).click();
  await last()
    .locator('.branches', {hasText: /1 \/ 2/})
    .waitFor();

  await messages().first().hover();
  await messages().first().getByRole('button', {name: 'Edit'}).click();
  await page.locator('.edit textarea').fill('echo second');
  await page.keyboard.press('Enter');
  await answered(page);
  await says(page, 'second');
  await checkAccessible(page, 'alternatives');
  await messages().first().getByRole('button', {name: 'Previous alternative'}).click();
  await says(page, 'first');
  await last()
    .locator('.branches', {hasText: /1 \/ 2/})
    .waitFor();
});

test('a conversation is there again after the page was closed', async () => {
  await ask(page, 'echo kept words');
  await answered(page);
  await kept(page, '"kept words');
  await page.reload();
  await says(page, 'kept words');
  await page.getByRole('button', {name: 'New chat'}).click();
  await page.locator('.empty').waitFor();
  await page.locator('#search').fill('KEPT');
  await page.getByRole('link', {name: 'echo kept words'}).click();
  await eventually(async () => assert.equal(await messages().count(), 2));
});

test('conversations are renamed and deleted', async () => {
  await ask(page, 'echo old name');
  await answered(page);
  const entry = page.locator('.entry');
  await entry.hover();
  await entry.getByRole('button', {name: 'Rename echo old name'}).click();
  await page.locator('.rename').fill('New name');
  await page.keyboard.press('Enter');
  await entry.getByRole('link', {name: 'New name'}).waitFor();
  page.once('dialog', (question) => void question.dismiss());
  await entry.hover();
  await entry.getByRole('button', {name: 'Delete New name'}).click();
  assert.equal(await entry.count(), 1);
  page.once('dialog', (question) => void question.accept());
  await entry.getByRole('button', {name: 'Delete New name'}).click();
  await page.locator('.empty').waitFor();
  await page.reload();
  await page.locator('.empty').waitFor();
  await eventually(async () => assert.equal(await entry.count(), 0));
});

test('an answer stops when it is told to, and the server knows', async () => {
  const left = stage.server.state.left;
  await ask(page, 'long 20000');
  await page.locator('.message.assistant .prose p').first().waitFor();
  await page.keyboard.press('Escape');
  await answered(page);
  await last().locator('.facts', {hasText: 'stopped'}).waitFor();
  await eventually(() => assert.equal(stage.server.state.left, left + 1));
});

test('Enter during composition sends nothing; Shift+Enter is a line', async () => {
  const field = page.locator('.composer textarea');
  await field.fill('안녕');
  await field.evaluate((area) =>
    area.dispatchEvent(
      new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}),
    ),
  );
  await field.press('Shift+Enter');
  assert.equal(await messages().count(), 0);
  assert.equal(await field.inputValue(), '안녕\n');
  await field.press('Enter');
  await eventually(async () => assert.equal(await messages().count(), 2));
  await answered(page);
});

test('the keyboard goes everywhere', async () => {
  await ask(page, 'echo one');
  await answered(page);
  await page.keyboard.press('ArrowUp');
  await page.locator('.edit textarea').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.edit').waitFor({state: 'detached'});
  await page.keyboard.press('Control+Shift+O');
  await page.locator('.empty').waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === 'TEXTAREA');
  await page.keyboard.press('Control+K');
  await page.waitForFunction(() => document.activeElement.id === 'search');
  await page.locator('main').focus();
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement.tagName === 'TEXTAREA');
});

test('settings are sent with the next question, the rest is left to the model', async () => {
  await page.getByRole('button', {name: 'Settings of this chat'}).click();
  await page.getByLabel('System prompt').fill('Be brief.');
  await page.getByLabel('Temperature', {exact: true}).fill('0.5');
  await page.getByLabel('Longest answer').fill('3');
  await page.getByLabel('Longest answer').press('Tab');
  await page.getByLabel('Adapter rhyme', {exact: true}).fill('0.7');
  await shoot(page, 'settings');
  await checkAccessible(page, 'settings');
  await ask(page, 'echo one two three four five');
  await answered(page);
  const {body} = stage.server.state.requests.findLast(({path}) => path === '/v1/chat/completions');
  assert.equal(body.temperature, 0.5);
  assert.equal(body.max_tokens, 3);
  assert.equal(body.top_p, undefined);
  assert.deepEqual(body.adapters, {rhyme: 0.7});
  assert.deepEqual(body.messages[0], {role: 'system', content: 'Be brief.'});
  await last().locator('.facts', {hasText: 'limit of tokens'}).waitFor();
});

test('the view follows a growing answer until the reader looks elsewhere', async () => {
  const area = page.locator('.scroll');
  const below = () => area.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight);
  await ask(page, 'long 30000');
  await page.waitForFunction(() => document.querySelector('.scroll').scrollHeight > 4000);
  await eventually(async () => assert.ok((await below()) < 300));
  await area.hover();
  await page.mouse.wheel(0, -1500);
  await page.getByRole('button', {name: 'To the latest words'}).waitFor();
  const place = await area.evaluate((one) => one.scrollTop);
  await page.waitForTimeout(300);
  assert.ok(Math.abs((await area.evaluate((one) => one.scrollTop)) - place) < 400);
  await page.getByRole('button', {name: 'To the latest words'}).click();
  await eventually(async () => assert.ok((await below()) < 300));
  await page.keyboard.press('Escape');
  await answered(page);
});

// How long frames take depends on what else the machine does; that they take no longer as the answer grows does not.
test('an answer of ten thousand tokens stays smooth', async () => {
  await page.evaluate(() => {
    window.gaps = [];
    let before = performance.now();
    const frame = (now) => {
      if (document.querySelector('.message.assistant .prose p')) window.gaps.push(now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await ask(page, 'long 10000');
  await answered(page);
  const gaps = await page.evaluate(() => window.gaps);
  await eventually(async () => {
    const tokens = await last().locator('.facts').innerText();
    assert.ok(Number(/(\d+) tokens/.exec(tokens)[1]) >= 10_000, tokens);
  });
  const mean = (list) => list.reduce((sum, gap) => sum + gap, 0) / list.length;
  const third = Math.floor(gaps.length / 3);
  const [early, late] = [mean(gaps.slice(0, third)), mean(gaps.slice(-third))];
  console.log(`${gaps.length} frames: at first ${early.toFixed(0)} ms each, at last ${late.toFixed(0)} ms`);
  assert.ok(gaps.length > 8 && late < 4 * early + 100, `${early} ms, then ${late} ms`);
});
