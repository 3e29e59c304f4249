// The token view.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {answered, ask, checkAccessible, eventually, says, shoot, useStage} from '../browser.mjs';

const stage = useStage();

test('tokens show their probabilities, settings cut them live, and another choice goes on from there', async () => {
  const {page, faults} = await stage.open();
  await ask(page, 'Tell me of the seed.');
  await answered(page);
  const answer = page.locator('.message').last();
  await answer.getByRole('button', {name: 'Show tokens'}).click();
  const list = page.getByRole('listbox');
  await eventually(async () => {
    const text = (await list.innerText()).replaceAll('↵', '');
    assert.ok(text.includes('Once there was a seed'), text);
  });
  const kinds = await list.locator('[role=option]').evaluateAll((all) => [...new Set(all.map((one) => one.className))]);
  assert.ok(kinds.length >= 3, kinds.join());

  await list.focus();
  for (let i = 0; i < 6; ++i) await page.keyboard.press('ArrowRight');
  const panel = page.getByRole('complementary', {name: /^Token 6 of/});
  await panel.waitFor();
  await eventually(async () => assert.equal(await panel.locator('.candidates button').count(), 20));
  await panel.getByText('20 of the 20').waitFor();
  const before = await panel.locator('.candidates .figure').first().innerText();
  await panel.getByLabel('Top-k').fill('3');
  await panel.getByText('3 of the 20').waitFor();
  await eventually(async () => {
    assert.equal(await panel.locator('.candidates .cut button').count(), 17);
    assert.notEqual(await panel.locator('.candidates .figure').first().innerText(), before);
  });
  await panel.getByLabel('Temperature').fill('0');
  await panel.getByText('1 of the 20').waitFor();
  await panel.getByLabel('Temperature').fill('1.5');
  await panel.getByText('3 of the 20').waitFor();
  await shoot(page, 'tokens');
  await checkAccessible(page, 'tokens');

  await list.focus();
  await page.keyboard.press('Enter');
  const first = panel.locator('.candidates button').first();
  await eventually(async () => assert.ok(await first.evaluate((one) => one === document.activeElement)));
  const chosen = panel.getByRole('button', {name: /^␣rain/});
  await chosen.click();
  await answered(page);
  const {body} = stage.server.state.requests.findLast(({path}) => path === '/v1/chat/completions');
  assert.equal(body.continue_final_message, true);
  assert.equal(body.messages.at(-1).role, 'assistant');
  assert.ok(body.messages.at(-1).content.endsWith(' rain'), body.messages.at(-1).content);
  await says(page, /rain and from here it went on another way\.$/);
  await answer.locator('.branches', {hasText: /2 \/ 2/}).waitFor();
  assert.deepEqual(faults, []);
  await page.close();
});

test('parts of characters are shown and told', async () => {
  const {page, faults} = await stage.open();
  await ask(page, '하늘은 왜 파란가요?');
  await answered(page);
  await page.locator('.message').last().getByRole('button', {name: 'Show tokens'}).click();
  const part = page.locator('[role=option]', {hasText: '·'}).first();
  await part.click();
  const own = page.locator('.candidates button[aria-current]');
  assert.match(await own.locator('code').innerText(), /^(␣)?([0-9A-F]{2} ?)+$/);
  assert.ok(await own.isDisabled());
  assert.deepEqual(faults, []);
  await page.close();
});

test('a model that tells no probabilities answers without them', async () => {
  stage.server.state.silent = true;
  const {page, faults} = await stage.open({expected: ['400']});
  await ask(page, 'echo plain');
  await answered(page);
  await says(page, 'plain');
  stage.server.state.silent = false;
  assert.deepEqual(faults, []);
  await page.close();
});

test('a base model continues the text, and from another token, too', async () => {
  stage.server.state.base = true;
  const {page, faults} = await stage.open();
  await ask(page, 'Once upon a time');
  await answered(page);
  const answer = page.locator('.message').last();
  await says(page, 'and so it goes on');
  assert.equal(stage.server.state.requests.at(-1).body.prompt, 'Once upon a time');
  await answer.getByRole('button', {name: 'Show tokens'}).click();
  await page.locator('[role=option]').nth(1).click();
  await page.getByRole('button', {name: /^␣else/}).click();
  await answered(page);
  assert.equal(stage.server.state.requests.at(-1).body.prompt, 'Once upon a time and else');
  stage.server.state.base = false;
  assert.deepEqual(faults, []);
  await page.close();
});

test('without probabilities it is said how to get them', async () => {
  const {page, faults} = await stage.open();
  await page.getByRole('button', {name: 'Settings of this chat'}).click();
  await page.getByLabel('Keep probabilities').uncheck();
  await ask(page, 'echo plain');
  await answered(page);
  assert.equal(stage.server.state.requests.at(-1).body.logprobs, undefined);
  await page.locator('.message').last().getByRole('button', {name: 'Show tokens'}).click();
  await page.getByText('made without probabilities').waitFor();
  assert.deepEqual(faults, []);
  await page.close();
});
