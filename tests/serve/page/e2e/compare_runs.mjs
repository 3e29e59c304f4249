// Blind comparisons and training runs.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {checkAccessible, DESKTOP, eventually, PHONE, shoot, useStage} from '../browser.mjs';

const stage = useStage();

test('two answers without names, a vote, and then the names', async () => {
  stage.server.state.votes = [];
  const {page, faults} = await stage.open({hash: '#/compare'});
  await page.getByLabel('A prompt for both').fill('Tell me a story.');
  await page.getByRole('button', {name: 'Compare', exact: true}).click();
  const left = page.getByRole('article', {name: 'Answer A'});
  assert.equal(await left.locator('.revealed').count(), 0);
  await page.getByRole('button', {name: 'A is better'}).click();
  const [first, second] = await eventually(async () => {
    const names = await page.locator('.revealed').allInnerTexts();
    assert.deepEqual([...names].sort(), ['malssi-base', 'malssi-chat']);
    return names;
  });
  await page.getByText('The server has noted your vote.').waitFor();
  assert.equal(stage.server.state.votes.length, 1);
  const [{a, b, vote, answers}] = stage.server.state.votes;
  assert.deepEqual([a, b, vote], [first, second, 'a']);
  assert.ok(answers.a.text.length > 20);
  await eventually(async () =>
    assert.match(await page.locator('.scores tbody tr').first().innerText(), new RegExp(`${first}\\s+1\\s+0\\s+0`)),
  );
  await shoot(page, 'compare');
  await checkAccessible(page, 'compare');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', {name: 'Export votes'}).click(),
  ]);
  assert.equal(JSON.parse(readFileSync(await file.path(), 'utf8')).vote, 'a');
  await page.setViewportSize(PHONE);
  await shoot(page, 'phone_compare');
  assert.deepEqual(faults, []);
  await page.close();
});

test('one model in two manners, and a server that collects no votes', async () => {
  stage.server.state.votes = null;
  const {page, faults} = await stage.open({
    hash: '#/compare?models=malssi-voice,malssi-chat,malssi-base',
  });
  await page.getByRole('button', {name: 'Remove contestant 3'}).click();
  await page.getByLabel('Contestant 2').selectOption('malssi-voice');
  await page.getByText('Two of them are the same.').waitFor();
  const manner = page.locator('.contestants details').nth(1);
  await manner.locator('summary').click();
  await manner.getByLabel('Temperature', {exact: true}).fill('0.2');
  await page.getByText('Two of them are the same.').waitFor({state: 'detached'});
  await page.getByLabel('A prompt for both').fill('Tell me a story.');
  await page.keyboard.press('Enter');
  await page.getByRole('button', {name: 'Both bad'}).click();
  await eventually(async () =>
    assert.deepEqual((await page.locator('.revealed').allInnerTexts()).sort(), [
      'malssi-voice',
      'malssi-voice · temperature 0.2',
    ]),
  );
  await page.getByText('kept in this browser only').waitFor();
  assert.deepEqual(faults, []);
  await page.close();
});

test('runs are drawn as they grow', async () => {
  const {page, faults} = await stage.open({hash: '#/runs'});
  const charts = page.locator('.chart');
  await charts.first().waitFor();
  await eventually(async () =>
    assert.deepEqual((await charts.locator('figcaption').allInnerTexts()).slice(0, 4), [
      'Loss',
      'Reward',
      'Accuracy',
      'KL divergence',
    ]),
  );
  const latest = () => charts.nth(1).locator('.values small').innerText();
  const then = await latest();
  await page.getByLabel('chat-sft').check();
  await page.getByLabel('english-base').check();
  await charts.first().locator('.held-out').nth(1).waitFor();
  await charts
    .first()
    .locator('svg')
    .hover({position: {x: 200, y: 100}});
  await charts.first().locator('.cross').waitFor({state: 'attached'});
  await charts.first().locator('svg').press('ArrowRight');
  await eventually(async () => assert.equal(await charts.first().locator('.values li').count(), 5));
  await page.mouse.move(0, 0);
  const smoothed = (count) =>
    page.waitForFunction(
      (wanted) => document.querySelector('.chart').querySelectorAll('path.raw').length === wanted,
      count,
    );
  await smoothed(3);
  await page.getByLabel('Smoothing').fill('0');
  await smoothed(0);
  const axis = () => charts.first().locator('text.left-of').allInnerTexts();
  const linear = (await axis()).join();
  await page.getByLabel('Log scale').check();
  await page.waitForFunction(
    (before) =>
      [...document.querySelector('.chart').querySelectorAll('text.left-of')].map((mark) => mark.textContent).join() !==
      before,
    linear,
  );
  await page.getByLabel('Smoothing').fill('0.8');
  await page.getByLabel('Log scale').uncheck();
  await page.waitForFunction(
    ([text]) => document.querySelectorAll('.chart')[1].querySelector('.values small').innerText !== text,
    [then],
  );
  await shoot(page, 'runs');
  await checkAccessible(page, 'runs');
  await page.setViewportSize(PHONE);
  await shoot(page, 'phone_runs');
  await page.setViewportSize(DESKTOP);
  assert.deepEqual(faults, []);
  await page.close();
});

test('a folder without runs says how to get them', async () => {
  stage.server.state.runs = false;
  const {page, faults} = await stage.open({hash: '#/runs'});
  await page.getByText('malssi serve --runs').waitFor();
  await checkAccessible(page, 'no runs');
  assert.deepEqual(faults, []);
  await page.close();
});
