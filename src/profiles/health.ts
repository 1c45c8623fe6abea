/**
 * The health checks of profiles, carried out on the source itself with what it has: curl, wget, bash or perl. What was
 * healthy before the stop must be so after the start.
 */
import { printable } from '../printable.ts';
import { quote } from '../ssh/quote.ts';
import type { CommandRunner, RemoteCommand } from '../ssh/session.ts';
import { CHECK_FUNCTIONS } from './checks.ts';
import type { Profile } from './schema.ts';

export type HealthCheck = Profile['health'][number];

/** `unknown`: the server has no program to ask with, or did not answer in time. */
export type Health = 'healthy' | 'sick' | 'unknown';

export interface HealthAnswer {
  readonly health: Health;
  /** What was said, in one line; empty where all is well. */
  readonly says: string;
}

/** One try takes no longer, whatever the check's own limit: that is how long it is tried. */
const TRY_MS = 30_000;
const NO_PROGRAM = 77;

/** `tcp 80`, `http http://localhost/`, `command pg_isready`. */
export function nameOfHealth(check: HealthCheck): string {
  if ('tcp' in check) return `tcp ${check.tcp}`;
  return 'http' in check ? `http ${printable(check.http)}` : `command ${printable(check.command.slice(0, 60))}`;
}

/** One try. */
export async function askHealth(
  session: CommandRunner,
  application: string,
  check: HealthCheck,
): Promise<HealthAnswer> {
  try {
    const { code, stdout, stderr } = await session.run(healthCommand(application, check));
    if (code === 0) return { health: 'healthy', says: '' };
    const said = lastLine(stdout.toString('utf8')) || lastLine(stderr) || `exit code ${code}`;
    return { health: code === NO_PROGRAM ? 'unknown' : 'sick', says: said };
  } catch (error) {
    return { health: 'unknown', says: lastLine(error instanceof Error ? error.message : String(error)) };
  }
}

function lastLine(text: string): string {
  return printable(text.trim().split('\n').at(-1)?.slice(0, 200) ?? '');
}

export function healthCommand(application: string, check: HealthCheck): RemoteCommand {
  return {
    purpose: `see whether ${application} is healthy: ${nameOfHealth(check)}`,
    script: scriptOf(check),
    timeoutMs: TRY_MS,
    maxOutputBytes: 1024 * 1024,
  };
}

function scriptOf(check: HealthCheck): string {
  if ('command' in check) return `cd / && exec sh -c ${quote(check.command)} </dev/null`;
  return 'tcp' in check ? tcpScript(check.tcp) : httpScript(new URL(check.http));
}

/**
 * Somebody listens; where that is on every address or the loopback, a connection is made too, for a program that hangs
 * listens still. proc(5): addresses are hexadecimal, 0100007F is 127.0.0.1.
 */
function tcpScript(port: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return `${CHECK_FUNCTIONS}if [ -z "$(p2c_sockets tcp ${hex})" ]; then
  echo "nobody listens on port ${port}"
  exit 1
fi
grep -qs -E '^ *[0-9]*: (00000000|0100007F|0{32}):${hex} .* 0A ' /proc/net/tcp /proc/net/tcp6 || exit 0
if command -v bash >/dev/null 2>&1; then
  bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}' </dev/null
elif command -v perl >/dev/null 2>&1; then
  perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => "127.0.0.1:${port}", Timeout => 10) or die "$@\\n"'
fi`;
}

/** An answer below 400 is a good one. Certificates are not looked at: the name asked for is seldom theirs. */
function httpScript(url: URL): string {
  const plain = url.protocol === 'http:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const request = `GET ${url.pathname}${url.search} HTTP/1.0\\r\\nHost: ${url.host}\\r\\nConnection: close\\r\\n\\r\\n`;
  return `url=${quote(url.href)}
if command -v curl >/dev/null 2>&1; then exec curl -gkfsS -m 20 -o /dev/null "$url"; fi
if wget --version 2>/dev/null | grep -q GNU; then exec wget -q -T 20 -t 1 --no-check-certificate -O /dev/null "$url"; fi
${plain ? plainHttp(host, url.port === '' ? 80 : Number(url.port), request) : ''}
echo "the server has no curl or wget to ask with"
exit ${NO_PROGRAM}`;
}

function plainHttp(host: string, port: number, request: string): string {
  return `host=${quote(host)}
request=${quote(request)}
answer=
if command -v bash >/dev/null 2>&1; then
  answer=$(bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "%b" "$3" >&3 && head -n 1 <&3' p2c "$host" ${port} "$request" </dev/null)
elif command -v perl >/dev/null 2>&1; then
  answer=$(printf '%b' "$request" | perl -MIO::Socket::INET -e '
    $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 20) or die "$@\\n";
    print $s join("", <STDIN>); print scalar <$s>;' "$host" ${port})
else
  echo "the server has no curl, wget, bash or perl to ask with"
  exit ${NO_PROGRAM}
fi
case $answer in
'HTTP/'*' '[123]??*) exit 0 ;;
*) echo "answered: $answer"; exit 1 ;;
esac`;
}
