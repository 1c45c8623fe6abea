/**
 * What acts by itself on the world and is held back in a clone: cron and at, mail queues, timers. Holding back adds or
 * hides small files in the container, never in its image, and each can be undone exactly.
 */
import * as z from 'zod';

const kind = z.enum(['cron', 'mail', 'timers']);
export type HoldKind = z.output<typeof kind>;
export const HOLD_KINDS = kind.options;

const change = z.discriminatedUnion('how', [
  /** A start link of sysvinit is taken away; made anew it is the same. */
  z.object({ how: z.literal('unlink'), path: z.string(), target: z.string() }),
  /** A file lies beside its place, under a name that no init starts: content, owner and time come back with it. */
  z.object({ how: z.literal('rename'), path: z.string(), to: z.string() }),
  /** A file that was not there: removed, nothing of it is left. */
  z.object({ how: z.literal('add'), path: z.string(), text: z.string() }),
]);

export const holdSchema = z.object({
  kind,
  /** The service: `cron`, `postfix`; or a timer's unit. */
  name: z.string(),
  init: z.enum(['sysv', 'upstart', 'systemd', 'services']),
  changes: z.array(change),
  /** False for a job that the old server's init did not start by itself; of the others its release asks the init. */
  starts: z.boolean().optional(),
});
export type Hold = z.output<typeof holdSchema>;

/** Services by what they do, as Debian, Red Hat, SUSE and Ubuntu name them. */
const SERVICES: Readonly<Record<Exclude<HoldKind, 'timers'>, readonly string[]>> = {
  cron: [
    ...['cron', 'crond', 'anacron', 'fcron', 'bcron-sched', 'bcron-spool', 'dcron', 'cronie', 'vixie-cron'],
    ...['atd', 'at', 'incron', 'incrond'],
  ],
  mail: [
    ...['postfix', 'sendmail', 'sm-client', 'exim', 'exim4', 'qmail', 'opensmtpd', 'nullmailer', 'courier-mta'],
    ...['masqmail', 'dma', 'fetchmail', 'getmail'],
  ],
};

/** @param service without an ending; `postfix@-` is postfix. @returns undefined for one that is not held back. */
export function kindOf(service: string): HoldKind | undefined {
  const name = service.replace(/@.*$/s, '');
  if (SERVICES.cron.includes(name)) return 'cron';
  return SERVICES.mail.includes(name) ? 'mail' : undefined;
}

/** Of a container whose services a script starts: a file in it for each that is held back. */
export const HELD_FOLDER = '/etc/p2c/held';

/**
 * What a step of an application starts, where that is held back: a plain name, for the words are the image's.
 * @param application its profile's name. @param scripts the services that the step names.
 */
export function heldName(application: string, scripts: readonly string[] = []): string | undefined {
  // `generic-sysv:cron` is cron.
  return [application.replace(/^.*:/s, ''), ...scripts]
    .find((name) => kindOf(name) !== undefined)
    ?.replace(/@.*$/s, '');
}
