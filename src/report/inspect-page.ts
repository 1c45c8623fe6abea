/** The page that `p2c inspect` prints: what the server is, what it does, and at the end what to make of it. */
import { printable } from '../printable.ts';
import { type Fact, valueOr } from '../source/inspection/fact.ts';
import { describeProposal, describeVerdict } from './inspect-advice.ts';
import type { InspectReport } from './inspect-report.ts';
import {
  describeData,
  describeListeners,
  describeNetwork,
  describeProcesses,
  describeSchedule,
  describeServices,
  describeUsers,
  describeVolumes,
} from './inspect-sections.ts';
import { describeTools } from './tools-report.ts';
import { formatBytes, formatCount, formatDuration } from './units.ts';

/** @param width columns of the terminal. */
export function describeInspection(report: InspectReport, width: number): string {
  const { facts } = report;
  const sections = [
    describeSystem(report),
    describeVolumes(facts, width),
    describeListeners(facts, width),
    describeProcesses(facts, width),
    describeServices(facts),
    describeSchedule(facts, width),
    describeUsers(facts),
    describeNetwork(facts),
    describeData(facts, width),
    describeProposal(report.proposal),
    describeVerdict(report.verdict, report.target),
  ];
  return sections.map((lines) => lines.map((line) => printable(line)).join('\n')).join('\n\n');
}

function describeSystem({ target, facts, tools }: InspectReport): string[] {
  const bits = valueOr(facts.userlandBits, undefined);
  const narrow = bits === 32 && facts.machine === 'x86_64' ? ' (with 32-bit programs)' : '';
  const guards = valueOr(facts.guards, undefined);
  const modules = valueOr(facts.modules, undefined);
  return [
    `${facts.hostname} (${target}): ${facts.release.name}`,
    row('Kernel', `${facts.kernel}, ${facts.machine}${narrow}`),
    row(
      'C library',
      told(facts.libc, ({ kind, version }) => `${kind} ${version}`.trim()),
    ),
    row(
      'Init',
      told(
        facts.init,
        ({ kind, version, program }) => `${kind} ${version}`.trim() + (program === '' ? '' : ` (${program})`),
      ),
    ),
    row(
      'Runlevel',
      told(
        facts.runlevel,
        ({ current, boot }) => `${current || 'not recorded'}, boots into ${boot || 'what is not recorded'}`,
      ),
    ),
    row(
      'Machine',
      told(facts.platform, (name) => name),
    ),
    row(
      'Resources',
      told(
        facts.resources,
        ({ memoryBytes, processors, uptimeSeconds }) =>
          `${formatBytes(memoryBytes)} of memory, ${formatCount(processors, 'processor')}, up for ${formatDuration(uptimeSeconds * 1000)}`,
      ),
    ),
    row(
      'Packages',
      told(facts.packages, ({ manager, installed }) => `${formatCount(installed.length, 'package')} (${manager})`),
    ),
    row(
      'Time zone',
      told(facts.timeZone, (name) => name),
    ),
    row(
      'Locale',
      told(facts.locale, (name) => name),
    ),
    row(
      'Guards',
      guards === undefined
        ? told(facts.guards, () => '')
        : `SELinux ${guards.selinux}, AppArmor ${guards.appArmorProfiles === 0 ? 'not used' : `${guards.appArmorProfiles ?? 'some'} profiles`}`,
    ),
    row(
      'Modules',
      modules === undefined
        ? told(facts.modules, () => '')
        : `${formatCount(modules.loaded, 'kernel module')}, of note: ${modules.ofNote.map(({ name }) => name).join(', ') || 'none'}`,
    ),
    describeTools(tools),
    ...(facts.root ? [] : ['p2c is not root there: what only root may see is marked as not known']),
  ];
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(11)}${value}`;
}

function told<Value>(fact: Fact<Value>, say: (value: Value) => string): string {
  if ('unknown' in fact) return `not known: ${fact.unknown}`;
  return fact.note === undefined ? say(fact.value) : `${say(fact.value)} (${fact.note})`;
}
