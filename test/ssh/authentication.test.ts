/** Agent, keys, passwords: in ssh's order, and told of when none of them opened the door. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import ssh2, { type AuthContext } from 'ssh2';
import { P2cError } from '../../src/errors.ts';
import { connect } from '../../src/ssh/connect.ts';
import { type Prompt, Secret } from '../../src/ssh/secret.ts';
import { failure } from '../helpers/failure.ts';
import { startRelay } from '../helpers/relay.ts';
import { requirePrograms } from '../helpers/require.ts';
import { startAgent } from '../helpers/ssh-agent.ts';
import { startServer } from '../helpers/ssh-server.ts';
import { generateKey } from '../helpers/sshd.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** A prompt that has the answers ready, and keeps the questions. */
function answers(...texts: string[]): { prompt: Prompt; asked: string[] } {
  const asked: string[] = [];
  const prompt: Prompt = async (question) => {
    asked.push(question);
    const text = texts.shift();
    if (text === undefined) throw new Error(`nobody answers '${question}'`);
    return new Secret(text);
  };
  return { prompt, asked };
}

/** Lets in who has the key of a public key file. */
function byKey(publicKeyFile: () => string, attempts: string[] = []): (context: AuthContext) => void {
  return (context) => {
    attempts.push(context.method);
    if (context.method !== 'publickey') return context.reject(['publickey']);
    void readFile(publicKeyFile(), 'utf8').then((text) => {
      const key = ssh2.utils.parseKey(text);
      if (key instanceof Error || Array.isArray(key)) return context.reject();
      const same = key.getPublicSSH().equals(context.key.data);
      if (same && context.blob === undefined) return context.accept();
      const { blob, signature, hashAlgo } = context;
      const signed = blob !== undefined && signature !== undefined && key.verify(blob, signature, hashAlgo) === true;
      if (same && signed) context.accept();
      else context.reject(['publickey']);
    });
  };
}

function byPassword(
  password: string,
  methods: ('password' | 'keyboard-interactive')[],
): (context: AuthContext) => void {
  return (context) => {
    if (context.method === 'password' && methods.includes('password') && context.password === password)
      context.accept();
    else if (context.method === 'keyboard-interactive' && methods.includes('keyboard-interactive')) {
      context.prompt([{ prompt: 'Token:\x1b[2J', echo: false }], (given) => {
        if (given[0] === password) context.accept();
        else context.reject(methods);
      });
    } else context.reject(methods);
  };
}

for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
  test(`a ${type} key, open and locked by a passphrase`, async (t) => {
    const folder = await temporaryFolder(t);
    for (const [name, passphrase] of [
      ['open', ''],
      ['locked', 'it is $ecret'],
    ] as const) {
      const file = join(folder, name);
      await generateKey(file, type, passphrase);
      const server = await startServer(t, { authenticate: byKey(() => `${file}.pub`) });
      const { prompt, asked } = answers('wrong', passphrase);
      await server.connect({ identities: [file], prompt });
      t.deepEqual(asked, name === 'open' ? [] : Array(2).fill(`Passphrase of ${file}:`));
    }
  });
}

test('a locked key and nobody to ask, and one whose passphrase nobody knows', async (t) => {
  const file = join(await temporaryFolder(t), 'key');
  await generateKey(file, 'ed25519', 'passphrase');
  const server = await startServer(t, { authenticate: byKey(() => `${file}.pub`) });
  const alone = await failure(server.connect({ identities: [file] }));
  t.is(alone.code, 'ssh.identity');
  t.regex(alone.message, /no terminal/);
  const wrong = await failure(server.connect({ identities: [file], prompt: answers('a', 'b', 'c').prompt }));
  t.is(wrong.code, 'ssh.auth');
  t.regex(wrong.message, /key .*key \(its passphrase was wrong\)/);
  const open = await startServer(t, { authenticate: byPassword('s3cret', ['password']) });
  await open.connect({ identities: [file], prompt: answers('s3cret').prompt });
  const either = (context: AuthContext): void => {
    if (context.method === 'password' && context.password === 's3cret') context.accept();
    else context.reject(['publickey', 'password']);
  };
  const patient = await startServer(t, { authenticate: either });
  const { prompt, asked } = answers('s3cret');
  await patient.connect({ identities: [file], prompt });
  t.deepEqual(
    asked,
    [`Password of joe@127.0.0.1 port ${patient.port}:`],
    'of a key that is not taken nothing is asked',
  );
});

for (const type of ['ed25519', 'rsa'] as const) {
  test(`of several locked ${type} keys the passphrase of that is asked for which the server takes`, async (t) => {
    const folder = await temporaryFolder(t);
    const files = ['one', 'two', 'three'].map((name) => join(folder, name));
    for (const file of files) await generateKey(file, type, 'passphrase');
    const [one = '', two = '', three = ''] = files;
    // Read in the file itself, and beside one that hides it.
    await rename(`${one}.pub`, join(folder, 'elsewhere'));
    await promisify(execFile)('ssh-keygen', [
      '-q',
      '-p',
      '-m',
      'PEM',
      '-P',
      'passphrase',
      '-N',
      'passphrase',
      '-f',
      two,
    ]);
    const server = await startServer(t, { authenticate: byKey(() => `${three}.pub`) });
    const { prompt, asked } = answers('passphrase');
    await server.connect({ identities: files, prompt });
    t.deepEqual(asked, [`Passphrase of ${three}:`]);
    const none = await startServer(t, { authenticate: (context) => context.reject(['publickey']) });
    const refused = await failure(none.connect({ identities: files }));
    t.true(
      refused.message.includes(`Tried: key ${one}, key ${two}, key ${three}; it takes publickey`),
      refused.message,
    );
  });
}

test('keys in PKCS#8, open and locked', async (t) => {
  const folder = await temporaryFolder(t);
  const run = promisify(execFile);
  for (const type of ['rsa', 'ecdsa'] as const) {
    for (const passphrase of ['', 'it is $ecret']) {
      const file = join(folder, `${type}${passphrase.length}`);
      await run('ssh-keygen', ['-q', '-t', type, '-m', 'PKCS8', '-N', passphrase, '-f', file]);
      t.regex(await readFile(file, 'utf8'), /BEGIN (ENCRYPTED )?PRIVATE KEY/);
      const server = await startServer(t, { authenticate: byKey(() => `${file}.pub`) });
      const { prompt, asked } = answers('wrong', passphrase);
      await server.connect({ identities: [file], prompt });
      t.is(asked.length, passphrase === '' ? 0 : 2);
    }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = join(folder, 'ed25519');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const wire = Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1'), Buffer.from(x, 'base64url')]);
  await writeFile(`${file}.pub`, `ssh-ed25519 ${wire.toString('base64')}\n`);
  const server = await startServer(t, { authenticate: byKey(() => `${file}.pub`) });
  await server.connect({ identities: [file] });
});

test('a key whose cipher cannot be read, and one that others may read', async (t) => {
  const file = join(await temporaryFolder(t), 'key');
  const cipher = 'chacha20-poly1305@openssh.com';
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-Z', cipher, '-N', 'secret', '-f', file]);
  const server = await startServer(t, { authenticate: byKey(() => `${file}.pub`) });
  const { prompt, asked } = answers();
  const unreadable = await failure(server.connect({ identities: [file], prompt }));
  t.regex(unreadable.message, /encrypted with chacha20-poly1305@openssh.com/);
  t.regex(unreadable.hint ?? '', /ssh-keygen -p -Z aes256-ctr -f /);
  t.is(asked.length, 0);
  await promisify(execFile)('ssh-keygen', ['-q', '-p', '-P', 'secret', '-N', '', '-f', file]);
  await chmod(file, 0o644);
  const open = await failure(server.connect({ identities: [file] }));
  t.is(open.code, 'ssh.identity-mode');
  t.regex(`${open.message} ${open.hint}`, /others may read or change it \(mode 0644\).*chmod 600/);
});

test('keys are tried one after the other, and what was tried is told', async (t) => {
  const folder = await temporaryFolder(t);
  const files = ['one', 'two', 'three'].map((name) => join(folder, name));
  for (const file of files) await generateKey(file, 'ed25519');
  const attempts: string[] = [];
  const server = await startServer(t, { authenticate: byKey(() => join(folder, 'two.pub'), attempts) });
  await server.connect({ identities: files });
  t.is(attempts.filter((method) => method === 'publickey').length, 3);
  const error = await failure(server.connect({ identities: [files[0] ?? '', files[2] ?? ''] }));
  t.is(error.code, 'ssh.auth');
  t.true(error.message.includes(`Tried: key ${files[0]}, key ${files[2]}; it takes publickey`), error.message);
  t.regex(error.hint ?? '', /--password-fd.* without a terminal/);
});

test('a password', async (t) => {
  const server = await startServer(t, { authenticate: byPassword('open sesame', ['password']) });
  const { prompt, asked } = answers('wrong', 'open sesame');
  await server.connect({ prompt });
  t.deepEqual(asked, Array(2).fill(`Password of joe@127.0.0.1 port ${server.port}:`));
  const error = await failure(server.connect({ prompt: answers('a', 'b', 'c', 'd').prompt }));
  t.is(error.code, 'ssh.auth');
  t.regex(error.message, /Tried: password; it takes password$/);
  const alone = await failure(server.connect());
  t.regex(alone.message, /Tried: nothing.*it takes password$/);
});

test('questions of the server', async (t) => {
  const server = await startServer(t, { authenticate: byPassword('123456', ['keyboard-interactive']) });
  const { prompt, asked } = answers('0', '123456');
  await server.connect({ prompt });
  t.is(asked.length, 2);
  t.is(asked[0], `joe@127.0.0.1 port ${server.port}: Token:\\x1b[2J`);
  const error = await failure(server.connect({ prompt: answers('a', 'b', 'c', 'd').prompt }));
  t.regex(error.message, /Tried: keyboard-interactive; it takes keyboard-interactive$/);
});

for (const passphrase of ['', 'passphrase']) {
  test(`a key${passphrase === '' ? '' : ' that is locked'} and then a password, where the server wants both`, async (t) => {
    const file = join(await temporaryFolder(t), 'key');
    await generateKey(file, 'ed25519', passphrase);
    let keyed = false;
    const server = await startServer(t, {
      authenticate: (context) => {
        if (context.method === 'publickey' && !keyed) {
          if (context.signature === undefined) return context.accept();
          keyed = true;
          return context.reject(['password'], true);
        }
        if (context.method === 'password' && keyed && context.password === 'second') return context.accept();
        context.reject(keyed ? ['password'] : ['publickey']);
      },
    });
    const typed = passphrase === '' ? [] : [passphrase];
    await server.connect({ identities: [file], prompt: answers(...typed, 'second').prompt });
    t.true(keyed);
  });
}

test('typing may take longer than the server may', async (t) => {
  const server = await startServer(t, { authenticate: byPassword('slow', ['password', 'keyboard-interactive']) });
  const prompt: Prompt = async () => {
    await new Promise((resolve) => setTimeout(resolve, 4000));
    return new Secret('slow');
  };
  await server.connect({ prompt, connectTimeoutMs: 3000 });
  t.pass();
});

test('a person who refuses to answer ends the attempt with their reason', async (t) => {
  for (const method of ['password', 'keyboard-interactive'] as const) {
    const server = await startServer(t, { authenticate: byPassword('x', [method]) });
    const reason = new P2cError('interrupted', { code: 'interrupted' });
    t.is(await failure(server.connect({ prompt: () => Promise.reject(reason) })), reason);
  }
});

test('a server that does not answer to a key', async (t) => {
  const server = await startServer(t, {
    authenticate: (context) => {
      if (context.method === 'none') context.reject(['publickey']);
    },
  });
  t.is((await failure(server.connect({ connectTimeoutMs: 300 }))).code, 'ssh.timeout');
});

test('an agent is asked before the files', async (t) => {
  if (!requirePrograms(t, ['ssh-agent', 'ssh-add'])) return;
  const folder = await temporaryFolder(t);
  for (const type of ['rsa', 'ed25519'] as const) await generateKey(join(folder, type), type);
  const socket = await startAgent(t, folder, [join(folder, 'rsa'), join(folder, 'ed25519')]);
  for (const type of ['rsa', 'ed25519'] as const) {
    const attempts: string[] = [];
    const server = await startServer(t, { authenticate: byKey(() => join(folder, `${type}.pub`), attempts) });
    await server.connect({ agent: socket, identities: [] });
    t.true(attempts.includes('publickey'));
  }
  const server = await startServer(t, { authenticate: byKey(() => join(folder, 'other.pub')) });
  await generateKey(join(folder, 'other'), 'ed25519');
  await server.connect({ agent: socket, identities: [join(folder, 'other')] });
  const error = await failure(server.connect({ agent: socket }));
  t.regex(error.message, /Tried: agent, key /);
});

test('of an agent with many keys those that are named come first, in their order', async (t) => {
  if (!requirePrograms(t, ['ssh-agent', 'ssh-add'])) return;
  const folder = await temporaryFolder(t);
  const files = [1, 2, 3, 4, 5, 6, 7].map((number) => join(folder, `key${number}`));
  for (const file of files) await generateKey(file, 'ed25519');
  const socket = await startAgent(t, folder, files);
  const named = [files[5], files[3]].filter((file) => file !== undefined);
  const keys = await Promise.all(files.map(async (file) => (await readFile(`${file}.pub`, 'utf8')).split(' ')[1]));
  const offered: number[] = [];
  const server = await startServer(t, {
    authenticate: (context) => {
      if (context.method === 'publickey') offered.push(keys.indexOf(context.key.data.toString('base64')));
      context.reject(['publickey']);
    },
  });
  await failure(server.connect({ agent: socket, identities: named }));
  t.deepEqual(offered.slice(0, 7), [5, 3, 0, 1, 2, 4, 6]);
});

test("with IdentitiesOnly the agent's copy of a locked key is used, also where its public key lies nowhere beside it", async (t) => {
  if (!requirePrograms(t, ['ssh', 'ssh-agent', 'ssh-add'])) return;
  const folder = await temporaryFolder(t);
  const [key, other, open] = [join(folder, 'key'), join(folder, 'other'), join(folder, 'open.pub')];
  for (const file of [key, other]) await generateKey(file, 'ed25519');
  const socket = await startAgent(t, folder, [other, key]);
  await promisify(execFile)('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'passphrase', '-f', key]);
  await rename(`${key}.pub`, open);
  const file = join(folder, 'config');
  await writeFile(file, `IdentityFile ${key}\nIdentitiesOnly yes\n`);
  const server = await startServer(t, { authenticate: byKey(() => open) });
  const options = { agent: socket, identities: undefined, sshConfig: { file } };
  await server.connect(options);
  const whole = await readFile(key);
  const lines = whole.toString('latin1').split('\n');
  const bytes = Buffer.from(lines.slice(1, -2).join(''), 'base64');
  // Cut off anywhere, or with lengths that lead beyond its end: a file that tells nothing, and no end of p2c.
  for (const at of [15, 40, 60, 90, 100, 120]) {
    for (const made of [bytes.subarray(0, at), Buffer.concat([bytes.subarray(0, at), Buffer.alloc(60, 0xff)])]) {
      await writeFile(key, [lines[0], made.toString('base64'), lines.at(-2), ''].join('\n'), { mode: 0o600 });
      t.is((await failure(server.connect(options))).code, 'ssh.auth', `${at} bytes`);
    }
  }
});

test('an agent that is gone, or is none, is passed over and told of', async (t) => {
  const folder = await temporaryFolder(t);
  await generateKey(join(folder, 'key'), 'ed25519');
  const server = await startServer(t, { authenticate: byKey(() => join(folder, 'key.pub')) });
  const gone = join(folder, 'gone');
  await server.connect({ agent: gone, identities: [join(folder, 'key')] });
  const error = await failure(server.connect({ agent: gone }));
  t.regex(error.message, /Tried: agent \(Failed to connect to agent\), key /);
  await server.connect({ agent: join(folder, 'key'), identities: [join(folder, 'key')] });
});

test('a password that is given answers by either method, once, and a jump host does not get it', async (t) => {
  for (const method of ['password', 'keyboard-interactive'] as const) {
    const server = await startServer(t, { authenticate: byPassword('s3cret', [method]) });
    const options = { identities: [], password: async () => new Secret('s3cret') };
    await server.connect(options);
    const wrong = await failure(server.connect({ ...options, password: async () => new Secret('other') }));
    t.is(wrong.code, 'ssh.auth');
    t.true(wrong.message.includes(`Tried: ${method}; it takes`), wrong.message);
    t.regex(wrong.message, /the password that was given was refused/);
    t.regex(wrong.hint ?? '', /^check the password that was given/);
    t.false(wrong.message.includes('other'));
    // Somebody who can be asked is asked then.
    const { prompt, asked } = answers('s3cret');
    await server.connect({ ...options, prompt, password: async () => new Secret('other') });
    t.is(asked.length, 1);
  }
  const seen: string[] = [];
  const nosy = (context: AuthContext): void => {
    seen.push(context.method === 'password' ? context.password : context.method);
    context.reject(['password']);
  };
  const jump = await startServer(t, { authenticate: nosy });
  const options = { ...jump.options, identities: [], password: async () => new Secret('s3cret') };
  const error = await failure(connect(jump.target, { ...options, jumps: [jump.target] }));
  t.is(error.code, 'ssh.auth');
  t.false(seen.includes('s3cret'));
  t.true(seen.length > 0);
});

test('a password that is refused one way is not tried another, and one that arrived nowhere is not refused', async (t) => {
  const seen: string[] = [];
  const both = await startServer(t, {
    authenticate: (context) => {
      if (context.method !== 'none') seen.push(context.method);
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive', 'password']);
      context.prompt([{ prompt: 'Password: ', echo: false }], () =>
        context.reject(['keyboard-interactive', 'password']),
      );
    },
  });
  const options = { identities: [], password: async () => new Secret('wrong') };
  const refused = await failure(both.connect(options));
  t.deepEqual(seen, ['keyboard-interactive']);
  t.like(refused, { code: 'ssh.auth', passwordRefused: true });

  const cutting = await startServer(t, {
    authenticate: (context) => (context.method === 'password' ? relay.cut() : context.reject(['password'])),
  });
  const relay = await startRelay(t, () => cutting.port);
  const target = { ...cutting.target, port: relay.port };
  const cut = await failure(
    connect(target, {
      ...cutting.options,
      ...options,
      knownHostsFiles: [],
      hostKeyFingerprints: [],
      acceptNewHostKey: true,
    }),
  );
  t.like(cut, { code: 'ssh.auth', passwordRefused: false });
  t.notRegex(cut.message, /was refused/);
});

test('a password that was right is no answer to what else is asked', async (t) => {
  const given: string[][] = [];
  const server = await startServer(t, {
    authenticate: (context) => {
      if (context.method === 'password') return context.reject(['keyboard-interactive'], true);
      if (context.method !== 'keyboard-interactive') return context.reject(['password']);
      context.prompt([{ prompt: 'Verification code: ', echo: false }], (answers) => {
        given.push(answers);
        if (answers[0] === '123456') context.accept();
        else context.reject(['keyboard-interactive']);
      });
    },
  });
  const options = { identities: [], password: async () => new Secret('right') };
  const unanswered = await failure(server.connect(options));
  t.like(unanswered, { passwordRefused: false, unanswered: true });
  t.false(given.flat().includes('right'));
  const { prompt, asked } = answers('123456');
  await server.connect({ ...options, prompt });
  t.is(asked.length, 1);
  t.false(given.flat().includes('right'));
});

test('a password and then a key, where the server wants both in that order', async (t) => {
  const file = join(await temporaryFolder(t), 'key');
  await generateKey(file, 'ed25519');
  for (const method of ['password', 'keyboard-interactive'] as const) {
    let through = false;
    const server = await startServer(t, {
      authenticate: (context) => {
        if (through && context.method === 'publickey') return context.accept();
        if (context.method !== method) return context.reject(through ? ['publickey'] : [method]);
        through = true;
        if (context.method === 'password') return context.reject(['publickey'], true);
        if (context.method === 'keyboard-interactive') {
          context.prompt([{ prompt: 'Password:', echo: false }], () => context.reject(['publickey'], true));
        }
      },
    });
    await server.connect({ identities: [file], password: async () => new Secret('first') });
    t.true(through, method);
  }
});

/** Wants a password and a code, in these rounds of questions. */
function byTwo(...rounds: { prompt: string; answer: string }[][]): (context: AuthContext) => void {
  return (context) => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    const ask = (left: typeof rounds): void => {
      const [round, ...later] = left;
      if (round === undefined) {
        context.accept();
        return;
      }
      context.prompt(
        round.map(({ prompt }) => ({ prompt, echo: false })),
        (given) => {
          if (round.some(({ answer }, index) => given[index] !== answer)) context.reject(['keyboard-interactive']);
          else ask(later);
        },
      );
    };
    ask(rounds);
  };
}

test('a password and a code: the password answers one question, a person the other', async (t) => {
  const password = { prompt: 'Password: ', answer: 's3cret' };
  const code = { prompt: 'Verification code: ', answer: '424242' };
  for (const rounds of [[[password], [code]], [[password, code]], [[code, password]], [[], [password], [code]]]) {
    const server = await startServer(t, { authenticate: byTwo(...rounds) });
    const options = { identities: [], password: async () => new Secret('s3cret') };
    const { prompt, asked } = answers('424242');
    await server.connect({ ...options, prompt });
    t.deepEqual(asked, [`joe@127.0.0.1 port ${server.port}: Verification code:`]);
    const alone = await failure(server.connect(options));
    t.is(alone.code, 'ssh.auth');
    t.regex(
      alone.message,
      /Tried: keyboard-interactive \(it asks 'Verification code:' too, and there is no terminal to ask on\)/,
    );
    await server.connect({ identities: [], prompt: answers(...rounds.flat().map(({ answer }) => answer)).prompt });
  }
});

test('methods are tried in the order of ssh', async (t) => {
  const file = join(await temporaryFolder(t), 'key');
  await generateKey(file, 'ed25519');
  const seen: string[] = [];
  const all = ['password', 'keyboard-interactive', 'publickey'] as const;
  const server = await startServer(t, {
    authenticate: (context) => {
      if (seen.at(-1) !== context.method) seen.push(context.method);
      context.reject([...all]);
    },
  });
  await failure(server.connect({ identities: [file], prompt: answers('a', 'b', 'c').prompt }));
  t.deepEqual(seen, ['none', 'publickey', 'keyboard-interactive', 'password']);
});

test('certificates of a user are not shown, and said so where nothing else opens', async (t) => {
  const folder = await temporaryFolder(t);
  const [authority, key] = [join(folder, 'authority'), join(folder, 'key')];
  for (const file of [authority, key]) await generateKey(file, 'ed25519');
  await promisify(execFile)('ssh-keygen', ['-q', '-s', authority, '-I', 'joe', '-n', 'joe', `${key}.pub`]);
  const server = await startServer(t, { authenticate: byKey(() => `${authority}.pub`) });
  const error = await failure(server.connect({ identities: [key] }));
  t.true(error.message.endsWith(`; not tried, for p2c cannot show certificates: ${key}-cert.pub`), error.message);
  const named = await failure(server.connect({ identities: [`${key}-cert.pub`] }));
  t.is(named.code, 'ssh.identity');
  t.regex(named.message, /certificate/);
  if (!requirePrograms(t, ['ssh-agent', 'ssh-add'])) return;
  // ssh-add takes the certificate along.
  const socket = await startAgent(t, folder, [key]);
  const open = await startServer(t, { authenticate: byKey(() => `${key}.pub`) });
  await open.connect({ agent: socket, identities: [] });
});
