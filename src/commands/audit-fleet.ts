/** `p2c audit -i FILE`: the hosts of an inventory. */
import { type ExitCode, usageError } from '../errors.ts';
import type { FleetHost } from '../fleet/host.ts';
import { storeRoot } from '../oci/root.ts';
import { audit } from '../pipeline/audit.ts';
import type { SurveyReport } from '../report/survey-report.ts';
import { formatBytes } from '../report/units.ts';
import { type AuditOptions, exitCodeOf } from './audit-options.ts';
import { refuseOwnPort } from './batch-only.ts';
import { rulesFrom } from './capture-options.ts';
import { chosenHosts } from './chosen-hosts.ts';
import type { Typed } from './command.ts';
import { atAnyTime, runFleet, type Scene } from './fleet.ts';
import { hostConnectOptions } from './host-connection.ts';
import { HostMistakes } from './host-mistakes.ts';
import { profilesOfHosts } from './inventory-mistakes.ts';

export async function auditFleet(
  file: string,
  options: AuditOptions,
  patterns: readonly string[],
  { argv, names }: Typed,
): Promise<ExitCode> {
  refuseOwnPort(names);
  if (options.why !== undefined) {
    throw usageError('--why asks about one server', { code: 'usage', hint: 'name it in the place of -i FILE' });
  }
  const chosen = atAnyTime(await chosenHosts(file, patterns, options));
  const mistakes = new HostMistakes();
  const profiles = await profilesOfHosts(chosen.hosts, options.profile, mistakes);
  mistakes.throwAny();
  const rules = rulesFrom('command line', options.exclude, options.include);
  const auditHost = async (host: FleetHost, { show, signal, aside }: Scene): Promise<SurveyReport> => {
    const own = profiles.get(host);
    if (own === undefined) throw new Error(`no profiles were looked up for ${host.name}`);
    return audit(
      {
        target: host.target,
        connect: hostConnectOptions(host, options, signal, aside),
        ...own,
        sparse: options.sparse,
        rules: [...rules, ...rulesFrom('inventory', host.exclude, host.include)],
      },
      show,
    );
  };
  return runFleet(chosen, options, {
    name: 'audit',
    argv,
    root: storeRoot(),
    image: () => null,
    work: auditHost,
    exitCode: exitCodeOf,
    columns: ['ENTRIES', 'BYTES', 'DUPLICATES'],
    row: (report) => [
      report.listing.entries.toLocaleString('en-US'),
      formatBytes(report.capture.bytes),
      String(report.duplicates.total),
    ],
  });
}
