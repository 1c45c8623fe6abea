/** Each password of these tests holds `hush`: none may come through, and what is no secret stays. */
import test from 'ava';
import { redact, redactArguments } from '../../../src/source/inspection/redact.ts';
import { shellPieces } from '../../../src/source/inspection/shell-words.ts';

const S = '[secret]';

/** A command line and what is shown of it. */
const CASES: readonly (readonly [string, string])[] = [
  ['curl -u bob:hush http://x/', `curl -u bob:${S} http://x/`],
  ['curl -u bob:cr0nhushpass http://x/', `curl -u bob:${S} http://x/`],
  ["curl -sSu 'bob:hu sh' x", `curl -sSu 'bob:${S}' x`],
  ['curl -ubob:hush x', `curl -ubob:${S} x`],
  ['curl --user bob:hush --proxy-user=p:hush x', `curl --user bob:${S} --proxy-user=p:${S} x`],
  ['/usr/bin/curl --user bob x', '/usr/bin/curl --user bob x'],
  ['curl -H "Authorization: Bearer hush" x', `curl -H "Authorization: ${S}" x`],
  ["curl -H 'X-Api-Key: hush' -d 'a=1&token=hush&b=2' x", `curl -H 'X-Api-Key: ${S}' -d 'a=1&token=${S}&b=2' x`],
  ['curl --cookie-jar /tmp/jar -b sid=hush x', `curl --cookie-jar /tmp/jar -b sid=${S} x`],
  ['wget --user bob --password hush x', `wget --user bob --password ${S} x`],
  ['wget --http-password=hush x', `wget --http-password=${S} x`],
  ['sshpass -p hush ssh -p 22 bob@x', `sshpass -p ${S} ssh -p 22 bob@x`],
  ['sshpass -phush ssh x', `sshpass -p${S} ssh x`],
  ["sshpass -p '-hush;x' ssh x", `sshpass -p ${S} ssh x`],
  ['sshpass -f /root/.pw ssh x', 'sshpass -f /root/.pw ssh x'],
  ['ldapsearch -x -D cn=a -w hush -s sub', `ldapsearch -x -D cn=a -w ${S} -s sub`],
  ['ldapadd -xwhush', `ldapadd -xw${S}`],
  ['ldapsearch -y /etc/ldap.secret', 'ldapsearch -y /etc/ldap.secret'],
  ['smbclient -U bob%hush //nas/x', `smbclient -U bob%${S} //nas/x`],
  ['smbclient //nas/x hush -U bob', `smbclient //nas/x ${S} -U bob`],
  ['net ads join -U bob%hush', `net ads join -U bob%${S}`],
  ['net rpc info -Ubob%hush', `net rpc info -Ubob%${S}`],
  ['redis-cli -h db -a hush ping', `redis-cli -h db -a ${S} ping`],
  ['redis-cli config set requirepass hush', `redis-cli config set requirepass ${S}`],
  ['openssl enc -aes-256-cbc -k hush -in /etc/x', `openssl enc -aes-256-cbc -k ${S} -in /etc/x`],
  ['openssl rsa -passin pass:hush -passout file:/etc/k', `openssl rsa -passin pass:${S} -passout file:/etc/k`],
  ['openssl passwd -1 hush', `openssl passwd -1 ${S}`],
  ['lftp -u bob,hush ftp.x', `lftp -u bob,${S} ftp.x`],
  ["lftp -c 'open -u bob,hush ftp.x; put /etc/x'", `lftp -c 'open -u bob,${S} ftp.x; put /etc/x'`],
  ['sqlplus -s scott/hush@db @/opt/x.sql', `sqlplus -s scott/${S}@db @/opt/x.sql`],
  ['sqlplus "sys/hu@sh@db as sysdba"', `sqlplus "sys/${S}@db as sysdba"`],
  ['sqlplus / as sysdba', 'sqlplus / as sysdba'],
  ['sqlplus /nolog', 'sqlplus /nolog'],
  ['/u01/bin/expdp scott/hush@db directory=d', `/u01/bin/expdp scott/${S}@db directory=d`],
  ['impdp scott/hush full=y', `impdp scott/${S} full=y`],
  ['exp userid=scott/hush@db file=/x/y.dmp', `exp userid=scott/${S}@db file=/x/y.dmp`],
  ['imp scott/hush@db file=x.dmp', `imp scott/${S}@db file=x.dmp`],
  ["su - oracle -c 'rman target sys/hush@db'", `su - oracle -c 'rman target sys/${S}@db'`],
  ['ipmitool -I lanplus -U a -P hush power status', `ipmitool -I lanplus -U a -P ${S} power status`],
  ['isql -U sa -P hush -S srv', `isql -U sa -P ${S} -S srv`],
  ['isql -v dsn sa hush', `isql -v dsn sa ${S}`],
  ['bcp db..t out /x -Usa -Phush', `bcp db..t out /x -Usa -P${S}`],
  ['echo hush | sudo -S reboot', `echo ${S} | sudo -S reboot`],
  ["echo -n 'hu sh' |sudo -kS -u bob id", `echo -n ${S} |sudo -kS -u bob id`],
  ['echo bob:hush | chpasswd', `echo ${S} | chpasswd`],
  ['echo hush | passwd --stdin bob', `echo ${S} | passwd --stdin bob`],
  ['echo hush | docker login --password-stdin r.x', `echo ${S} | docker login --password-stdin r.x`],
  ['sudo -S id <<< hush', `sudo -S id <<< ${S}`],
  ['echo done | mail -s x root', 'echo done | mail -s x root'],
  ['mysql --password hush shop', `mysql --password ${S} shop`],
  ['mysql --password -h db', 'mysql --password -h db'],
  ['mysqldump -uroot -phush a b >/b/x.sql', `mysqldump -uroot -p${S} a b >/b/x.sql`],
  ["mysqldump -u root -p'hu sh' a", `mysqldump -u root -p${S} a`],
  ['mysqladmin -u root password hush', `mysqladmin -u root password ${S}`],
  ['mysql -u net -phush', `mysql -u net -p${S}`],
  ['mongo -u a -p hush db', `mongo -u a -p ${S} db`],
  ['mongodump --password=hush', `mongodump --password=${S}`],
  ['htpasswd -b /etc/h bob hush', `htpasswd -b /etc/h bob ${S}`],
  ['htpasswd -nbB bob hush 2>/dev/null', `htpasswd -nbB bob ${S} 2>/dev/null`],
  ['htpasswd /etc/h bob', 'htpasswd /etc/h bob'],
  ['mount -t cifs -o user=bob,password=hush,uid=0 //n/x /m', `mount -t cifs -o user=bob,password=${S},uid=0 //n/x /m`],
  ['mount -o username=bob%hush //n/x /m', `mount -o username=bob%${S} //n/x /m`],
  ['mount -o credentials=/root/.smb,uid=0 //n/x /m', 'mount -o credentials=/root/.smb,uid=0 //n/x /m'],
  ['java -Djavax.net.ssl.keyStorePassword=hush -jar x', `java -Djavax.net.ssl.keyStorePassword=${S} -jar x`],
  ['keytool -list -storepass hush -keystore /etc/k', `keytool -list -storepass ${S} -keystore /etc/k`],
  ['PGPASSWORD=hush pg_dump shop', `PGPASSWORD=${S} pg_dump shop`],
  ['psql "host=h password=hush user=x"', `psql "host=h password=${S} user=x"`],
  ["sh -c 'PGPASSWORD=hush pg_dump shop | gzip >/b/x'", `sh -c 'PGPASSWORD=${S} pg_dump shop | gzip >/b/x'`],
  ['sudo -u bob nice env A=b mysql -phush', `sudo -u bob nice env A=b mysql -p${S}`],
  ['echo "connect scott/hush@db" | sqlplus /nolog', `echo "connect scott/${S}@db" | sqlplus /nolog`],
  [`mysql -e "create user a identified by 'hush'"`, `mysql -e "create user a identified by ${S}"`],
  ['plink -pw hush bob@x', `plink -pw ${S} bob@x`],
  ['docker login -u bob -p hush r.x', `docker login -u bob -p ${S} r.x`],
  ['docker run -p 80:80 nginx', 'docker run -p 80:80 nginx'],
  ['snmpwalk -v2c -c hush h', `snmpwalk -v2c -c ${S} h`],
  ['7z a -phush /b/x.7z /srv', `7z a -p${S} /b/x.7z /srv`],
  ['zip -rP hush /b/x.zip /srv', `zip -rP ${S} /b/x.zip /srv`],
  ['erl -setcookie hush -name a@b', `erl -setcookie ${S} -name a@b`],
  ['app password = hush', `app password = ${S}`],
  ['app --conf \'{"password": "hu sh", "user": "a"}\'', `app --conf '{"password": ${S}, "user": "a"}'`],
  ['curl http://bob:hush@x/y', `curl http://bob:${S}@x/y`],
  ['curl http://bob:p@hush@x/y@z', `curl http://bob:${S}@x/y@z`],
  ['app postgres://bob:hu/sh@x/db', `app postgres://bob:${S}@x/db`],
  ['app redis://:hush@x:6379/0', `app redis://:${S}@x:6379/0`],
  ['git clone https://ghushhushhushhushhush@git.x/y', `git clone https://${S}@git.x/y`],
  ['http_proxy=bob:hush@proxy:3128 app', `http_proxy=bob:${S}@proxy:3128 app`],
  ['java -jar x jdbc:oracle:thin:scott/hush@h:1521:x', `java -jar x jdbc:oracle:thin:scott/${S}@h:1521:x`],
  ['wget --header="Authorization: Bearer hush" x', `wget --header="Authorization: ${S}" x`],
  ["x --header='Authorization:Basic hush hush' y", `x --header='Authorization:${S}' y`],
  ['$CURL -u bob:hush x', `$CURL -u bob:${S} x`],
  [`expect -c 'spawn su; send -- "hush"'`, `expect -c 'spawn su; send -- ${S}'`],
  ['SHOP_PASSWORD_PROFILE=hush app', `SHOP_PASSWORD_PROFILE=${S} app`],
  ['kubectl create x --from-literal=password=hush', `kubectl create x --from-literal=password=${S}`],
  ['app jdbc:mysql://h/db?user=a&password=hush', `app jdbc:mysql://h/db?user=a&password=${S}`],
  ['redis-server --requirepass hush --port 1', `redis-server --requirepass ${S} --port 1`],
  ['app ghp_hushhushhush', `app ghp_${S}`],
];

test('what each program takes as a secret is left out, and the words around it stay', (t) => {
  for (const [text, safe] of CASES) t.is(redact(text), safe);
  t.true(CASES.every(([, safe]) => !safe.includes('hush')));
});

test('a secret is left out of the words of a process as of a line of a crontab', (t) => {
  for (const [text, safe] of CASES) {
    if (/["'|<>]/.test(text)) continue;
    t.is(redactArguments(text.split(' ')), safe);
  }
  t.is(redactArguments(['curl', '-u', 'bob:hush; a "b', 'x']), `curl -u bob:${S} x`);
  t.is(redactArguments(['app', '--password', 'hu sh', '-v']), `app --password ${S} -v`);
  t.is(redactArguments(['sh', '-c', 'DB_TOKEN=hush exec app -x']), `sh -c DB_TOKEN=${S} exec app -x`);
  t.is(redactArguments(['app', 'PASSWORD=hu sh']), `app PASSWORD=${S}`);
  t.is(redactArguments(['postgres: bob shop [local] idle']), 'postgres: bob shop [local] idle');
  t.is(redactArguments(['mysqldump -phush']), `mysqldump -p${S}`);
});

test('what is no secret stays: files, options that ask, words that only look alike', (t) => {
  const plain = [
    'rsync --password-file=/etc/rs a::b /c',
    'rsync --password-file=rs a::b /c',
    'backup --passphrase-file /etc/key',
    'gpg --batch --passphrase-fd 0 -d /b/x.gpg',
    'psql --no-password shop',
    'ansible --ask-pass all',
    'nginx: master process /usr/sbin/nginx -g daemon off;',
    'passenger --passenger-root=/opt/p start',
    '/usr/bin/passwd bob',
    'PWD=/srv/app run',
    'mysqld --port=3306 --datadir=/var/lib/mysql --user=mysql',
    'java -Xmx1g -Djavax.net.ssl.keyStore=/etc/k.jks -jar app.jar http://host:8080/a@b',
    'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups',
    'cp /etc/mysql/my.cnf /backup/secret/my.cnf',
    'find /var/log -name *.gz -mtime +7 -delete 2>&1 | logger -t clean',
    'test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )',
    "mkdir -p /var/lib/mysql && echo 'it is done'",
    'login -p -- root',
    'docker run -u 1000:1000 --user 0:0 x',
    'mount -t proc proc sys/proc',
    '/usr/bin/systemd-tty-ask-password-agent --watch',
    'docker pull nginx:1.25@sha256:abc',
    'ssh -p 22 git@host:path',
    'chown -R www-data:www-data /srv',
    'node /srv/api/server.js --token-file=/run/secrets/t',
  ];
  for (const text of plain) t.is(redact(text), text);
});

/** A generator of its own, so that a failure comes again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('the pieces of any text are the text, and none is too odd', (t) => {
  const parts = [
    '"',
    "'",
    '\\',
    ' ',
    '|',
    '<<<',
    '2>',
    '&',
    '$(',
    '`',
    '-p',
    'mysql',
    'curl',
    '-u',
    'a:b',
    '=',
    'password',
  ];
  parts.push(
    '://',
    '@',
    '/',
    '\u{1f600}',
    '\u0001',
    '\ud800',
    'echo',
    'sudo',
    '-S',
    '--token',
    ',',
    ';',
    '{',
    'identified by',
  );
  const below = random(7);
  for (let round = 0; round < 3000; round += 1) {
    const text = Array.from({ length: below(30) }, () => parts[below(parts.length)] ?? '').join('');
    t.is(
      shellPieces(text)
        .map((piece) => piece.text)
        .join(''),
      text,
    );
    t.notThrows(() => redact(text), text);
  }
});

test('whatever stands around it, a secret of the commonest forms does not come through', (t) => {
  const secrets = [
    'mysql -p{} a',
    'curl -u bob:{} a',
    'app --password={}',
    'TOKEN={} app',
    'x http://bob:{}@h/',
    'echo {} | sudo -S id',
  ];
  const around = [
    'sudo -u bob ',
    'nice -n 5 ',
    'cd /srv && ',
    'A=b ',
    '( ',
    'true; ',
    'if x; then ',
    'timeout 5 ',
    '\\',
    'X=`',
  ];
  const values = ['hush', 'hush1$', 'hu%hush', 'hush=', 'hush:x', 'a+hush', 'hush!', '#hush'];
  const below = random(11);
  for (let round = 0; round < 1000; round += 1) {
    const before = Array.from({ length: below(4) }, () => around[below(around.length)] ?? '').join('');
    const secret = (secrets[below(secrets.length)] ?? '').replace('{}', () => values[below(values.length)] ?? '');
    const text = `${before}${secret}`;
    t.false(redact(text).includes('hush'), text);
    t.false(redact(`sh -c "${text}"`).includes('hush'), text);
    t.false(redactArguments(['sh', '-c', text]).includes('hush'), text);
  }
});

test('a hostile line costs time by its length alone', (t) => {
  const unit = [
    'a',
    ' ',
    '"',
    "'",
    '\\',
    '=',
    ':',
    '-',
    'p',
    '@',
    '://',
    'a=',
    '"a',
    '\'"',
    '\\"',
    'pass',
    'pw1',
    'mysql ',
    'a:',
    '/',
    '(',
    '<',
  ];
  unit.push('token=', 'user=', 'eyJ', '"\'', '\' "', 'password ', 'echo |', ' -u', '/bot1', 'a,password=');
  for (const each of unit) {
    const text = each.repeat(Math.ceil(50_000 / each.length));
    // What goes over its text again and again would not come back within the limit of a test.
    t.notThrows(() => [redact(text), redactArguments([text, text])], each);
  }
});
