/** A run as JUnit XML, as CI servers show it (Jenkins' junit-10.xsd): a test case per host. */
import type { HostRecord, RunRecord } from './run-record.ts';
import { troubleOf } from './trouble.ts';

export function runJunit(run: RunRecord): string {
  const { hosts, verb, id, began, lastSeen } = run;
  const failed = hosts.filter((host) => host.state !== 'not begun' && troubleOf(host) !== undefined).length;
  const skipped = hosts.filter(({ state }) => state !== 'failed' && state !== 'done').length;
  const numbers = `tests="${hosts.length}" failures="${failed}" errors="0" time="${seconds(lastSeen - began)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${numbers}>`,
    `  <testsuite name="${escaped(`p2c ${verb} ${id}`)}" ${numbers} skipped="${skipped}" timestamp="${new Date(began).toISOString().slice(0, 19)}">`,
    ...hosts.map((host) => testcase(host, verb)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testcase(host: HostRecord, verb: string): string {
  const took = host.began === undefined || host.ended === undefined ? 0 : host.ended - host.began;
  const head = `    <testcase classname="${escaped(`p2c.${verb}`)}" name="${escaped(host.name)}" time="${seconds(took)}"`;
  const trouble = troubleOf(host);
  if (trouble === undefined && host.state === 'done') return `${head}/>`;
  if (trouble === undefined || host.state === 'not begun') {
    return `${head}><skipped message="${escaped(trouble?.message ?? host.state)}"/></testcase>`;
  }
  const { code, message, hint, causes } = trouble;
  const text = [message, ...causes.map((cause) => `cause: ${cause}`), ...(hint === undefined ? [] : [`hint: ${hint}`])];
  const failure = `<failure type="${escaped(code)}" message="${escaped(message)}">${escaped(text.join('\n'))}</failure>`;
  return `${head}>${failure}</testcase>`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has no way to write most control characters, and none for halves of pairs: they become U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
