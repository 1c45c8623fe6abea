/** The services that a user names with a generic profile: one that the server does not have is a mistake, and no service that rests. */
import { usageError } from '../errors.ts';
import { printable } from '../printable.ts';
import { quote } from '../ssh/quote.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import { askedService } from './load.ts';
import { suggestion } from './nearest.ts';
import type { Profile } from './schema.ts';

interface Asked {
  readonly profile: string;
  readonly service: string;
}

/** How each generic profile's services are told: a condition for sh, and what lists those that there are. */
const KNOWN_BY: Readonly<Record<string, { readonly has: (name: string) => string; readonly list: string }>> = {
  'generic-sysv': {
    has: (name) => `[ -x ${quote(`/etc/init.d/${name}`)} ]`,
    list: 'cd /etc/init.d && for file in *; do [ -f "$file" ] && [ -x "$file" ] && printf "%s\\n" "$file"; done',
  },
  'generic-systemd': {
    // What is masked is there; an answer that does not come is none.
    has: (name) =>
      `case $(systemctl show -p LoadState ${quote(`${name}.service`)}) in '' | *=not-found) false ;; *) true ;; esac`,
    list: "systemctl list-unit-files --type=service --no-legend --no-pager --full | sed -n 's/\\.service .*//p'",
  },
};
const MOST_LISTED = 40;

/**
 * Read-only, and no command at all where no such profile is among them.
 * @throws P2cError `profile.no-service` for the first that the server does not have.
 */
export async function requireAskedServices(session: Session, profiles: readonly Profile[]): Promise<void> {
  const asked = profiles.flatMap(({ name }): Asked[] => {
    const { profile, service } = askedService(name);
    return service === undefined || KNOWN_BY[profile] === undefined ? [] : [{ profile, service }];
  });
  if (asked.length === 0) return;
  const lines = (await session.run(lookCommand(asked))).stdout.toString('utf8').split('\n');
  for (const [index, { profile, service }] of asked.entries()) {
    if (lines.includes(`${index} found`)) continue;
    const there = lines.flatMap((line) =>
      line.startsWith(`${index} has `) ? [line.slice(`${index} has `.length)] : [],
    );
    throw missing(session.target.name, profile, service, there);
  }
}

function lookCommand(asked: readonly Asked[]): RemoteCommand {
  const script = asked.map(({ profile, service }, index) => {
    const known = KNOWN_BY[profile];
    if (known === undefined) return '';
    return `if ${known.has(service)}; then echo '${index} found'; else { ${known.list}; } | sed 's/^/${index} has /'; fi`;
  });
  return { purpose: 'look for the services that are named', script: `exec 2>/dev/null\n${script.join('\n')}\nexit 0` };
}

function missing(target: string, profile: string, service: string, there: readonly string[]): Error {
  const names = there.map((name) => printable(name)).sort();
  const listed = names.slice(0, MOST_LISTED).join(', ') + (names.length > MOST_LISTED ? ', …' : '');
  const kind = profile === 'generic-sysv' ? 'System V service' : 'service of systemd';
  return usageError(
    `${target} has no ${kind} '${service}'${suggestion(service.replace(/\.service$/, ''), names)}, so --profile ${profile}:${service} stops nothing`,
    {
      code: 'profile.no-service',
      hint:
        names.length === 0 ? `there is none at all: another profile is for what this server has` : `it has: ${listed}`,
    },
  );
}
