/**
 * The last program before a container's command, where the machine has perl (Debian's perl-base is on every system): it
 * loads the seccomp filter, which no program of util-linux 2.38 does, and with it drops everything in one step. It is
 * given the container's environment as `P2C_ENV_0`, `P2C_ENV_1`…, as `WITH_ENVIRONMENT` is, and hands it on only at the
 * exec itself, so that nothing in it means anything to perl. Why it could not go on it tells on the descriptor that
 * `P2C_REPORT` names, which the command does not get; without one, on its standard error.
 */
import { arch } from 'node:os';
import { capabilityMask } from '../capabilities.ts';
import { callTables } from '../seccomp/numbers.ts';
import type { ContainerProcess } from '../spec.ts';
import { toolCommand } from './toolbox.ts';

/**
 * Order: the session keyring is a new one (runc does so too); root and working folder; bounding set; groups; the filter,
 * while CAP_SYS_ADMIN is still there; user; the other sets. PR_CAPBSET_DROP is 24, KEYCTL_JOIN_SESSION_KEYRING 1,
 * SECCOMP_SET_MODE_FILTER 1, _LINUX_CAPABILITY_VERSION_3 0x20080522.
 */
export const LAST_STEP = `
my ($calls, $count, $root, $cwd, $uid, $gid, $groups, $low, $high, $filter) = splice @ARGV, 0, 10;
my %n = split /[=,]/, $calls;
my $report = delete $ENV{P2C_REPORT};
my $told;
# Closed by the exec, where there is one.
if (defined $report && open $told, ">&=", $report) { fcntl $told, 2, 1; }
sub leave { my ($code, $why) = @_; if ($told) { syswrite $told, "$code $why"; } else { print STDERR "p2c: $why\\n"; } exit $code; }
sub must { my ($what, $is) = @_; leave(125, "$what: $!") if $is == -1; }
my @env = map { delete $ENV{"P2C_ENV_$_"} } 0 .. $count - 1;
my $program = "";
if ($filter ne "") {
  open my $in, "<", $filter or must($filter, -1);
  binmode $in;
  local $/;
  $program = <$in>;
  close $in;
}
syscall($n{keyctl} + 0, 1, 0, 0, 0, 0);
chroot($root) or must("chroot", -1);
leave(127, "$cwd: $!") unless chdir $cwd;
for my $bit (0 .. 63) {
  my $half = $bit < 32 ? $low : $high;
  next if ($half >> ($bit & 31)) & 1;
  last if syscall($n{prctl} + 0, 23, $bit, 0, 0, 0) == -1;
  must("bounding set", syscall($n{prctl} + 0, 24, $bit, 0, 0, 0));
}
my @groups = split /,/, $groups;
my $list = pack "L*", @groups;
must("groups", syscall($n{setgroups} + 0, scalar(@groups), $list));
must("gid", syscall($n{setresgid} + 0, $gid + 0, $gid + 0, $gid + 0));
if ($program ne "") {
  my $struct = pack "S x![P] P", length($program) / 8, $program;
  must("seccomp", syscall($n{seccomp} + 0, 1, 0, $struct));
}
must("uid", syscall($n{setresuid} + 0, $uid + 0, $uid + 0, $uid + 0));
my ($l, $h) = $uid == 0 ? ($low + 0, $high + 0) : (0, 0);
my $header = pack "LL", 0x20080522, 0;
my $sets = pack "L6", $l, $l, 0, $h, $h, 0;
must("capabilities", syscall($n{capset} + 0, $header, $sets));
%ENV = ();
for (@env) { my ($name, $value) = split /=/, $_, 2; $ENV{$name} = $value; }
exec { $ARGV[0] } @ARGV;
leave($! == 2 ? 127 : 126, "$ARGV[0]: $!");
`;

const CALLS = ['keyctl', 'prctl', 'setgroups', 'setresgid', 'setresuid', 'seccomp', 'capset'];

/** The numbers of the calls that it makes; undefined where p2c does not know the machine's. */
function callNumbers(): string | undefined {
  const [own] = callTables(arch());
  if (own === undefined) return undefined;
  return [...own.names].flatMap(([number, name]) => (CALLS.includes(name) ? [`${name}=${number}`] : [])).join(',');
}

/** Where the setup puts the script and the compiled filter. */
export const SCRIPT = 'last-step.pl';
export const FILTER = 'filter';

/**
 * @param filtered whether there is a filter.
 * @returns undefined where p2c does not know the machine's calls.
 */
export function lastStep(process: ContainerProcess, filtered: boolean): string[] | undefined {
  const calls = callNumbers();
  if (calls === undefined) return undefined;
  const { uid, gid, additionalGids } = process.user;
  const { low, high } = capabilityMask(process.capabilities.bounding);
  const groups = [...new Set([gid, ...additionalGids])].join(',');
  const numbers = [String(uid), String(gid), groups, String(low), String(high)];
  const told = [calls, String(process.env.length), '/c', process.cwd, ...numbers, filtered ? `/tools/${FILTER}` : ''];
  return [...toolCommand('perl', `/tools/${SCRIPT}`), ...told, ...process.args];
}
