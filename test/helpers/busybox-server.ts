/** A small system behind dropbear on loopback: its programs are busybox and nothing else. Needs root. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { answering, freePort } from './port.ts';
import { descendants, endProcesses, generateKey } from './sshd.ts';
import { temporaryFolder } from './temporary.ts';

const run = promisify(execFile);

export interface BusyboxServer {
  readonly port: number;
  /** Root's private key. */
  readonly identity: string;
  readonly knownHosts: string;
  /** Its `/`, as a path of this machine. Mounted in the server's own mount namespace only: see {@link exec}. */
  readonly root: string;
  /** Runs a command in it, as root; its standard output. */
  exec(script: string): Promise<string>;
}

/**
 * `/` is a disk image in a mount namespace of its own, so that the kernel's table of mounts there is what a small system's
 * is: a root, and the kernel's filesystems.
 */
const BOOT = `
set -e
mkfs.ext4 -q -E root_owner=0:0 -d "$TREE" "$ROOT.img" 64M
mount -o loop "$ROOT.img" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o mode=755 dev "$ROOT/dev"
mknod -m 666 "$ROOT/dev/null" c 1 3
mknod -m 666 "$ROOT/dev/urandom" c 1 9
mkdir "$ROOT/dev/pts"
mount -t devpts devpts "$ROOT/dev/pts"
cd "$ROOT"
mkdir .old
pivot_root . .old
exec /bin/busybox chroot . /bin/sh -c 'umount -l /.old && rmdir /.old && exec /sbin/dropbear -F -E -s -m -p "127.0.0.1:$PORT" -r /etc/hostkey'
`;

export async function startBusyboxServer(t: ExecutionContext): Promise<BusyboxServer> {
  const folder = await temporaryFolder(t);
  const [tree, root] = [join(folder, 'tree'), join(folder, 'root')];
  const identity = join(folder, 'identity');
  await generateKey(identity, 'ed25519');
  await mkdir(root);
  await makeTree(tree, await readFile(`${identity}.pub`, 'utf8'));
  const port = await freePort();
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${await makeHostKey(join(tree, 'etc/hostkey'))}\n`);
  const child = spawn('sh', ['-c', 'exec unshare --mount --pid --fork --kill-child sh -c "$BOOT"'], {
    env: { BOOT, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TREE: tree, ROOT: root, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => end(child));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await answering(port, child, 'the small system', () => log);
  // The outermost of them: those below serve connections, the one just made to see whether it answers, for instance.
  const pid = child.pid === undefined ? undefined : (await descendants(child.pid)).at(-1);
  if (pid === undefined) throw new Error(`the small system has no process: ${log}`);
  const exec = async (script: string): Promise<string> =>
    (await run('nsenter', ['-t', String(pid), '-m', '-p', '-r', '-w', '/bin/sh', '-c', script])).stdout;
  return { port, identity, knownHosts, root: `/proc/${pid}/root`, exec };
}

async function makeTree(tree: string, publicKey: string): Promise<void> {
  for (const name of ['bin', 'sbin', 'etc', 'dev', 'proc', 'tmp', 'srv', 'usr/sbin']) {
    await mkdir(join(tree, name), { recursive: true });
  }
  await mkdir(join(tree, 'root/.ssh'), { recursive: true, mode: 0o700 });
  await run('cp', [(await run('sh', ['-c', 'command -v busybox'])).stdout.trim(), join(tree, 'bin/busybox')]);
  const applets = (await run('busybox', ['--list'])).stdout.trim().split('\n');
  for (const applet of applets) if (applet !== 'busybox') await symlink('busybox', join(tree, 'bin', applet));
  await installDropbear(tree);
  await writeFile(join(tree, 'root/.ssh/authorized_keys'), publicKey, { mode: 0o600 });
  await writeFile(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(tree, 'etc/group'), 'root:x:0:\n');
  await writeFile(join(tree, 'etc/shells'), '/bin/sh\n');
  await writeFile(join(tree, 'etc/os-release'), 'NAME=Small\nPRETTY_NAME="Small Linux 1"\n');
}

/** dropbear is not static here: its libraries come with it. */
async function installDropbear(tree: string): Promise<void> {
  const dropbear = (await run('sh', ['-c', 'PATH=$PATH:/usr/sbin; command -v dropbear'])).stdout.trim();
  await run('cp', ['-L', dropbear, join(tree, 'sbin/dropbear')]);
  const { stdout } = await run('ldd', [dropbear]);
  for (const [, library] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    if (library !== undefined) await run('cp', ['-L', '--parents', library, tree]);
  }
}

/** @returns the public half, as known_hosts has it. */
async function makeHostKey(file: string): Promise<string> {
  const { stdout } = await run('dropbearkey', ['-t', 'ed25519', '-f', file]);
  const key = /^ssh-ed25519 \S+/m.exec(stdout)?.[0];
  if (key === undefined) throw new Error(`dropbearkey made no key: ${stdout}`);
  return key;
}

/** unshare's child is the first process of a PID namespace: with it all of them end, and with the last their mounts. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // Not unshare itself: it takes the exit of its child, which would else stay behind as a zombie.
  endProcesses(await descendants(child.pid));
  await exited;
}
