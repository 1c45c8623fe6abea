import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { type Browser, chromium, type Page } from 'playwright-core';
import { cli } from '../helpers/cli.ts';
import { HOSTILE, makeRun } from '../helpers/made-runs.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Browser | undefined;

test.after.always(async () => browser?.close());

/** A page of a thousand hosts takes its time beside others. */
const PATIENCE_MS = 180_000;

interface Opened {
  readonly page: Page;
  /** What the page wanted from elsewhere, and what went wrong in it. */
  readonly trouble: string[];
}

async function opened(file: string, options: { colorScheme?: 'dark' | 'light' } = {}): Promise<Opened> {
  browser ??= await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS, timeout: PATIENCE_MS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) trouble.push(request.url());
  });
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(message.text());
  });
  page.on('dialog', (dialog) => {
    trouble.push('a dialog');
    void dialog.dismiss();
  });
  await page.goto(pathToFileURL(file).href, { timeout: 120_000 });
  return { page, trouble };
}

/** Where screenshots are wanted for looking at them, this names a folder. */
async function pictured(page: Page, name: string, fullPage = false): Promise<void> {
  const folder = process.env['P2C_SCREENSHOTS'];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage, timeout: 120_000 });
}

test.serial(
  'a page of forty hosts sorts, filters, opens what failed first, and wants nothing from elsewhere',
  async (t) => {
    if (!requirePrograms(t, ['chromium'])) return;
    const root = await temporaryFolder(t);
    await makeRun(root, 40);
    const file = join(root, 'report.html');
    const ended = await cli(['report', '--html', file], { P2C_ROOT: root });
    t.is(ended.code, 0, ended.stderr);
    const { page, trouble } = await opened(file);
    await pictured(page, '40-light');
    const names = (): Promise<string[]> => page.locator('#fleet tbody tr:visible td:first-child').allTextContents();
    t.is((await names()).length, 40);
    t.is((await names())[0], 'web0006', 'failures come first');
    await page.getByRole('button', { name: 'Host' }).click();
    t.is((await names())[0], 'web0001');
    await page.getByRole('button', { name: 'Host' }).click();
    t.is((await names())[0], 'web0040');
    t.is(await page.locator('#fleet th').first().getAttribute('aria-sort'), 'descending');
    await page.getByRole('searchbox').fill('bullseye');
    t.true((await names()).length < 20);
    await page.getByRole('searchbox').fill('');
    await page.getByLabel('done').uncheck();
    t.deepEqual([...new Set(await page.locator('#fleet tbody tr:visible .state').allTextContents())], ['failed']);
    t.regex((await page.locator('#shown').textContent()) ?? '', /^\d of 40 hosts$/);
    await page.locator('#failed + .failure a').first().click();
    t.true(await page.locator('#host-6').evaluate((element) => element.hasAttribute('open')));
    t.regex((await page.locator('#host-6').textContent()) ?? '', /What to do: name a key with --identity FILE/);
    await page.getByLabel('done').check();
    await page.locator('#fleet a', { hasText: 'web0001' }).click();
    t.true((await page.locator('#host-1 .timeline rect.down').count()) > 0, 'the downtime is marked');
    t.true((await page.locator('#host-1 .treemap rect').count()) > 5);
    await pictured(page, '40-host');
    t.deepEqual(trouble, []);
    const dark = await opened(file, { colorScheme: 'dark' });
    await pictured(dark.page, '40-dark');
    const ground = (each: Page): Promise<string> => each.evaluate('getComputedStyle(document.body).backgroundColor');
    t.not(await ground(dark.page), await ground(page));
    await page.emulateMedia({ media: 'print' });
    t.false(await page.getByRole('searchbox').isVisible(), 'paper has no search');
    const pdf = await page.pdf({ format: 'A4' });
    t.is(pdf.subarray(0, 5).toString(), '%PDF-');
  },
);

test.serial('hostile names are words in every form of the report', async (t) => {
  if (!requirePrograms(t, ['chromium'])) return;
  const root = await temporaryFolder(t);
  await makeRun(root, 20, HOSTILE);
  const file = (name: string): string => join(root, name);
  const args = ['report', '--html', file('r.html'), '--csv', file('r.csv'), '--junit', file('r.xml'), '--json', '-'];
  const ended = await cli(args, { P2C_ROOT: root });
  t.is(ended.code, 0, ended.stderr);
  const { page, trouble } = await opened(file('r.html'));
  for (const host of await page.locator('details.host').all())
    await host.evaluate((element) => element.setAttribute('open', ''));
  t.is(await page.evaluate('window.hacked'), undefined);
  t.deepEqual(trouble, []);
  t.is(await page.locator('details.host').count(), 20);
  t.is(await page.locator('main script, main img').count(), 0);
  t.true((await page.locator('details.host h3').allTextContents()).includes('\\u{202e}gnp.exe'));
  await pictured(page, 'hostile', true);
  const csv = await readFile(file('r.csv'), 'utf8');
  t.notRegex(csv, /(?:^|,|\n)"?=/m, 'no cell is a formula');
  t.is(csv.trimEnd().split('\r\n').length, 21);
  // The page parses as XML what CI would.
  const xml = await readFile(file('r.xml'), 'utf8');
  const parsed = await page.evaluate(
    `(() => { const parsed = new DOMParser().parseFromString(${JSON.stringify(xml)}, 'text/xml');
      return { errors: parsed.querySelectorAll('parsererror').length, cases: parsed.querySelectorAll('testcase').length }; })()`,
  );
  t.deepEqual(parsed, { errors: 0, cases: 20 });
  t.is(JSON.parse(ended.stdout).hosts.length, 20);
});

test.serial('a page of one host is open; one of a thousand still answers', async (t) => {
  if (!requirePrograms(t, ['chromium'])) return;
  const root = await temporaryFolder(t);
  await makeRun(root, 1);
  const one = join(root, 'one.html');
  t.is((await cli(['report', '--html', one], { P2C_ROOT: root })).code, 0);
  const single = await opened(one);
  t.true(await single.page.locator('details.host').evaluate((element) => element.hasAttribute('open')));
  t.deepEqual(single.trouble, []);
  await pictured(single.page, '1-light', true);
  await single.page.setViewportSize({ width: 400, height: 800 });
  const width = await single.page.evaluate('document.documentElement.scrollWidth');
  t.is(width, 400, 'what is too wide for a small window scrolls by itself');
  await pictured(single.page, '1-narrow', true);
  await makeRun(root, 1000);
  const many = join(root, 'many.html');
  t.is((await cli(['report', '--html', many], { P2C_ROOT: root })).code, 0);
  const { page, trouble } = await opened(many);
  await pictured(page, '1000-light');
  t.is(await page.locator('#fleet tbody tr').count(), 1000);
  await page.getByRole('searchbox').fill('web0777');
  t.regex((await page.locator('#shown').textContent()) ?? '', /^1 of 1000 hosts$/);
  await page.locator('#fleet a', { hasText: 'web0777' }).click();
  t.true(await page.locator('#host-777 .treemap').isVisible());
  await pictured(page, '1000-host');
  t.deepEqual(trouble, []);
});
