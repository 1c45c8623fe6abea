/** `p2c audit`: what an engineer reads before the window. Read-only. */
import { usageError } from '../errors.ts';
import { audit } from '../pipeline/audit.ts';
import { HazardPaths } from '../pipeline/hazard-paths.ts';
import type { SurveyRequest } from '../pipeline/request.ts';
import { AUDIT_STAGES } from '../pipeline/titles.ts';
import { type ByteString, byteStringFromText } from '../printable.ts';
import { parseTarget } from '../ssh/target.ts';
import { exitCodeOf, withAuditOptions } from './audit-options.ts';
import { refuseBatchOptions } from './batch-only.ts';
import { profilesFrom, rulesFrom } from './capture-options.ts';
import { defineVerb } from './command.ts';
import { requireConnection } from './connection-check.ts';
import { connectOptions } from './connection-options.ts';
import { interruptible } from './interrupt.ts';
import { withShow } from './show.ts';

export const verb = defineVerb({
  name: 'audit',
  usage: '[options] TARGET',
  summary: 'show mounts, duplicate entries, sizes and what would be left out, and why (read-only)',
  examples: [
    ['p2c audit root@old.example', 'audit one server'],
    ["p2c audit root@old.example --exclude '/srv/backup/**' --json", 'try a rule, and print JSON'],
    ['p2c audit root@old.example --why /root/.bashrc', 'ask what would become of one path'],
    ['p2c audit -i fleet.yaml', 'audit every host of an inventory'],
  ],
  options: (parser) => withAuditOptions(parser),
  async run(options, words, typed) {
    if (options.inventory !== undefined) {
      const { auditFleet } = await import('./audit-fleet.ts');
      return auditFleet(options.inventory, options, words, typed);
    }
    refuseBatchOptions(typed.names);
    const target = words[0];
    if (target === undefined || words.length > 1) {
      throw usageError(words.length > 1 ? `one target is expected, not ${words.length}` : 'no target is named', {
        code: 'usage',
        hint: "'p2c audit root@HOST', or '-i FILE' for an inventory",
      });
    }
    const request: Omit<SurveyRequest, 'connect'> = {
      target: parseTarget(target, { port: options.port }),
      ...(await profilesFrom(options.profile)),
      rules: rulesFrom('command line', options.exclude, options.include),
      sparse: options.sparse,
      why: (options.why ?? []).map(whyPath),
    };
    await requireConnection(options);
    const report = await interruptible(async (signal) => {
      await using hazards = options.json ? new HazardPaths() : undefined;
      const connect = connectOptions(options, signal);
      // Loaded while the server answers.
      const printing = import('./print-survey.ts');
      const found = await withShow(options, AUDIT_STAGES, (show) => audit({ ...request, hazards, connect }, show));
      const { printSurvey } = await printing;
      await printSurvey(found, hazards, signal);
      return found;
    });
    return exitCodeOf(report);
  },
});

/** As the listing has it: absolute, without a slash at its end, `//` and `/./` taken out. */
function whyPath(text: string): ByteString {
  const wrong = (what: string, hint: string): Error => usageError(`--why '${text}' ${what}`, { code: 'usage', hint });
  if (!text.startsWith('/') || text.includes('\0')) throw wrong('is no absolute path', "write '/etc/passwd'");
  // What is no UTF-8 on the command line reaches a program in Node.js as this character.
  if (text.includes('\ufffd')) throw wrong('is no UTF-8', "write such bytes as p2c does: '/opt/caf\\xe9'");
  const components = text.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) throw wrong("holds '..'", 'write the path that it leads to');
  return byteStringFromText(`/${components.join('/')}`);
}
