/** Published ports: `-p [[IP:][HOST]:]CONTAINER[/PROTOCOL]`, ranges included, and the ports that an image exposes. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import * as z from 'zod';
import { P2cError, systemCode, usageError } from '../../errors.ts';
import { parseAddress } from './address.ts';

export const portSchema = z.object({
  containerPort: z.int(),
  /** 0: any that is free. */
  hostPort: z.int(),
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  /** All addresses of the machine where undefined. */
  hostIP: z.string().optional(),
});
/** Named as portmap's runtime configuration names them. */
export type Port = z.output<typeof portSchema>;

const FORM = /^(?:(?:(?<ip>[0-9.]*):)?(?<host>\d*(?:-\d+)?):)?(?<container>\d+(?:-\d+)?)(?:\/(?<protocol>[A-Za-z]+))?$/;

/** Where ports are written, and how. */
interface Place {
  readonly option: string;
  readonly form: string;
  readonly hint: string;
}

const PUBLISH: Place = {
  option: '-p',
  form: '[[IP:][PORT]:]PORT[/PROTOCOL]',
  hint: '-p 8080:80, -p 127.0.0.1:8080:80/tcp',
};
const EXPOSE: Place = { option: '--expose', form: 'PORT[-PORT][/PROTOCOL]', hint: '--expose 8080, --expose 53/udp' };

/** As `-p` takes them. @throws P2cError `network.port` (usage). */
export function parsePorts(text: string): Port[] {
  return portsFrom(text, PUBLISH);
}

/** As `--expose` takes them. @throws P2cError `network.port` (usage). */
export function parseExposed(text: string): Port[] {
  if (text.includes(':')) throw notOfForm(text, EXPOSE);
  return portsFrom(text, EXPOSE);
}

function portsFrom(text: string, place: Place): Port[] {
  const refuse = (why: string) => refused(text, why, place);
  const found = FORM.exec(text)?.groups;
  if (found === undefined) throw notOfForm(text, place);
  const protocol = portSchema.shape.protocol.safeParse((found['protocol'] ?? 'tcp').toLowerCase());
  if (!protocol.success) throw refuse(`'${found['protocol']}' is no protocol; tcp, udp and sctp are known`);
  const hostIP = found['ip'] === '' || found['ip'] === '0.0.0.0' ? undefined : found['ip'];
  if (hostIP !== undefined && parseAddress(hostIP) === undefined) throw refuse(`'${hostIP}' is no IPv4 address`);
  const inside = rangeOf(found['container'] ?? '', refuse);
  const outside = (found['host'] ?? '') === '' ? undefined : rangeOf(found['host'] ?? '', refuse);
  if (outside !== undefined && outside.length !== inside.length) {
    throw refuse(`there are ${outside.length} ports on the left and ${inside.length} on the right`);
  }
  return inside.map((containerPort, at) => ({
    containerPort,
    hostPort: outside?.[at] ?? 0,
    protocol: protocol.data,
    ...(hostIP === undefined ? {} : { hostIP }),
  }));
}

/** `8080` or `8080-8090`. */
function rangeOf(range: string, refuse: (why: string) => P2cError): number[] {
  const [first = 0, last = first] = range.split('-').map(Number);
  if (first < 1 || last > 65_535) throw refuse('ports are numbers from 1 to 65535');
  if (last < first) throw refuse(`'${range}' ends before it begins`);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** What an image exposes (image-spec config.md, `ExposedPorts`): `80/tcp`, `53/udp`, `80`. Others are passed over. */
export function exposedPorts(exposed: Readonly<Record<string, unknown>>): Port[] {
  return Object.keys(exposed).flatMap((text) => {
    const [, port = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(\w+))?$/.exec(text) ?? [];
    const known = portSchema.shape.protocol.safeParse(protocol.toLowerCase());
    const number = Number(port);
    if (!known.success || number < 1 || number > 65_535) return [];
    return [{ containerPort: number, hostPort: 0, protocol: known.data }];
  });
}

/**
 * Gives each port that has none one that is free, and holds that the others are. The packet filter would not complain: it
 * takes the port away from whatever listens on it.
 * @throws P2cError `network.port-in-use`.
 */
export async function settlePorts(ports: readonly Port[], taken: readonly Port[]): Promise<Port[]> {
  const settled: Port[] = [];
  for (const port of ports) {
    const clash = [...taken, ...settled].find((other) => port.hostPort !== 0 && sameDoor(port, other));
    if (clash !== undefined) throw inUse(port, 'another container has it');
    settled.push({ ...port, hostPort: await tryPort(port, [...taken, ...settled]) });
  }
  return settled;
}

function sameDoor(one: Port, other: Port): boolean {
  const addresses = one.hostIP === undefined || other.hostIP === undefined || one.hostIP === other.hostIP;
  return one.hostPort === other.hostPort && one.protocol === other.protocol && addresses;
}

async function tryPort(port: Port, others: readonly Port[]): Promise<number> {
  for (;;) {
    const number = await bound(port);
    if (!others.some((other) => sameDoor({ ...port, hostPort: number }, other))) return number;
  }
}

/** Listens for a moment. @returns the number. */
async function bound(port: Port): Promise<number> {
  const { protocol, hostPort, hostIP } = port;
  // Node knows no SCTP: what is free for TCP is taken.
  const socket = protocol === 'udp' ? createSocket('udp4') : createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      socket.once('error', reject).once('listening', () => {
        const address = socket.address();
        resolve(typeof address === 'object' && address !== null ? address.port : hostPort);
      });
      if ('listen' in socket) socket.listen({ port: hostPort, host: hostIP ?? '0.0.0.0', exclusive: true });
      else socket.bind({ port: hostPort, ...(hostIP === undefined ? {} : { address: hostIP }), exclusive: true });
    });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EADDRINUSE') throw inUse(port, 'a program of this machine listens on it', error);
    if (code === 'EADDRNOTAVAIL') throw inUse(port, `${hostIP} is no address of this machine`, error);
    throw error;
  } finally {
    await new Promise<void>((resolve) => {
      // One that never listened cannot be closed, and need not be.
      try {
        socket.close(() => resolve());
      } catch {
        resolve();
      }
    });
  }
}

function inUse({ hostPort, protocol }: Port, why: string, cause?: unknown): P2cError {
  return new P2cError(`the port ${hostPort}/${protocol} cannot be published: ${why}`, {
    code: 'network.port-in-use',
    hint: `see which: ss -lnp | grep :${hostPort}`,
    cause,
  });
}

function notOfForm(text: string, place: Place): P2cError {
  return refused(text, `it is not of the form ${place.form}`, place);
}

function refused(text: string, why: string, { option, hint }: Place): P2cError {
  return usageError(`${option} '${text}': ${why}`, { code: 'network.port', hint });
}
