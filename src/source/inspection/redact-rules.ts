/** Which options of which programs take a secret that does not look like one. */

/**
 * Where in the value the secret is: `all` of it; `maybe` there is none, and an option follows; behind the first of a
 * character, as in `user:password`; as openssl's `source` has it: `pass:x`, but not `file:x`; `oracle`: `user/password@db`.
 */
export type Shape = 'all' | 'maybe' | ':' | '%' | ',' | '=' | 'source' | 'oracle';

export interface Rule {
  /** Of the whole name of the program, without its folders. */
  readonly program: RegExp;
  readonly options?: Readonly<Record<string, Shape>>;
  /** Letters of options without a value, which may stand before one with a value in a word: `-su bob:x`. */
  readonly flags?: string;
  /** Its options end at the first word that is none: the command that it runs has its own. */
  readonly leads?: true;
  /** The word behind one of these is a secret, unless it is an option. */
  readonly behind?: RegExp;
  /** The last word that is no option is a secret, where there are so many, and the command is such a one. */
  readonly last?: { readonly atLeast: number; readonly where: RegExp };
  /** A word `user/password@database`. */
  readonly oracleLogin?: true;
}

const ANY = /(?:)/;
const PASSWORD = { '-p': 'maybe', '--password': 'maybe', '--pass': 'maybe' } as const;

const RULES: readonly Rule[] = [
  {
    program: /^curl$/,
    options: {
      ...{
        '-u': ':',
        '--user': ':',
        '-U': ':',
        '--proxy-user': ':',
        '-E': ':',
        '--cert': ':',
        '-b': '=',
        '--cookie': '=',
      },
      ...{ '--pass': 'all', '--proxy-pass': 'all', '--tlspassword': 'all', '--oauth2-bearer': 'all' },
    },
    flags: '#01234aBfGgIijJkLlMNnOpqRSsv',
  },
  { program: /^(?:http|https|xh)$/, options: { '-a': ':', '--auth': ':' } },
  { program: /^ab$/, options: { '-A': ':', '-P': ':', '-C': '=' }, flags: 'dhiklqrSV' },
  { program: /^sshpass$/, options: { '-p': 'all' }, flags: 'v', leads: true },
  { program: /^(?:plink|pscp|psftp|pageant|putty|nodetool)$/, options: { '-pw': 'all' } },
  { program: /^(?:xfreerdp|wlfreerdp)$/, options: { '/p': 'all' } },
  { program: /^rdesktop$/, options: { '-p': 'all' } },
  { program: /^ldap[a-z]+$/, options: { '-w': 'all' }, flags: 'AcCILMnNOQRTuvVWxZ' },
  { program: /^ldappasswd$/, options: { '-s': 'all', '-a': 'all' }, flags: 'ACINnOQRvVWxZ' },
  {
    program: /^(?:smb[a-z]+|rpcclient|net|wbinfo|winexe|wmic|samba-tool|pdbedit|nmblookup|adcli)$/,
    options: { '-U': '%', '--user': '%', '-a': '%', '--authenticate': '%', '--pw-nt-hash': 'all' },
    flags: 'EgkNPqtV',
    behind: /^["']?(?:\/\/|\\\\)/,
  },
  {
    program: /^(?:redis|valkey|keydb)-[a-z]+$/,
    options: { '-a': 'all', '--pass': 'all' },
    behind: /^["']?auth["']?$/i,
  },
  {
    program: /^openssl$/,
    options: {
      ...{ '-k': 'all', '-K': 'all', '-hmac': 'all' },
      ...{ '-pass': 'source', '-passin': 'source', '-passout': 'source', '-password': 'source' },
    },
    last: { atLeast: 2, where: /(?:^|\s)passwd\s/ },
  },
  { program: /^lftp(?:get)?$/, options: { '-u': ',', '--user': ',' } },
  { program: /^ncftp[a-z]*$/, options: PASSWORD },
  { program: /^(?:sqlplus|sqlcl|sql|sqlldr|exp|imp|expdp|impdp|rman|dgmgrl|tkprof)$/i, oracleLogin: true },
  { program: /^ipmitool$/, options: { '-P': 'all', '-k': 'all', '-y': 'all' }, flags: 'v' },
  { program: /^(?:ipmi(?:-[a-z-]+|power|console)|bmc-[a-z]+)$/, options: { '-p': 'all', '-k': 'all' } },
  {
    program: /^(?:isql|iusql|tsql|fisql|bsqldb|bcp|sqlcmd|osql|defncopy|freebcp)(?:-fb)?$/,
    options: { '-P': 'all' },
    last: { atLeast: 3, where: /^(?!.*\s-[UPSi])/ },
  },
  {
    program: /^(?:gbak|gfix|gsec|fbsvcmgr|isql-fb)$/,
    options: { '-p': 'all', '-pas': 'all', '-pass': 'all', '-pw': 'all' },
  },
  {
    program: /^(?:(?:mysql|mariadb)[\w-]*|my(?:dumper|loader|top)|innobackupex|xtrabackup|mariabackup|pt-[a-z-]+)$/,
    options: PASSWORD,
    flags: 'ABCEGHLNVXbcfiknoqrstvw',
  },
  { program: /^mongo[a-z]*$/, options: { ...PASSWORD, '--sslPEMKeyPassword': 'all' } },
  { program: /^(?:cqlsh|influx|rabbitmqadmin|clickhouse[a-z-]*|crackmapexec)$/, options: PASSWORD },
  { program: /^rabbitmqctl$/, last: { atLeast: 3, where: /\s(?:add_user|change_password|authenticate_user)\s/ } },
  { program: /^etcdctl$/, options: { '--user': ':' } },
  { program: /^db2$/i, behind: /^using$/i },
  { program: /^dsm(?:c|adm|admc)$/, options: { '-pa': 'all', '-pas': 'all', '-pass': 'all' } },
  {
    program: /^(?:htpasswd|htdigest|mosquitto_passwd)$/,
    last: { atLeast: 2, where: /\s-[A-Za-z0-9]*b/ },
  },
  { program: /^mosquitto_(?:pub|sub|rr)$/, options: { '-P': 'all', '--pw': 'all' } },
  { program: /^wpa_passphrase$/, last: { atLeast: 2, where: ANY } },
  {
    program: /^(?:docker|podman|nerdctl|buildah|skopeo|crane|oras|helm)$/,
    options: { '--creds': ':', '--src-creds': ':', '--dest-creds': ':' },
  },
  // Elsewhere `-p` names a port of theirs.
  { program: /^login$/, options: PASSWORD },
  { program: /^(?:zip|unzip|zipcloak|funzip)$/, options: { '-P': 'all' }, flags: 'FTfghjlmnopqruvyz' },
  { program: /^(?:7z[a-z]?|7zz|rar|unrar)$/, options: { '-p': 'all', '-hp': 'all' } },
  { program: /^snmp[a-z]+$/, options: { '-c': 'all', '-A': 'all', '-X': 'all' } },
  { program: /^expect$/, behind: /^(?:send|--)$/ },
  { program: /^swaks$/, options: { '-ap': 'all', '--auth-password': 'all' } },
  { program: /^sendemail$/i, options: { '-xp': 'all' } },
  { program: /^(?:user(?:add|mod)|groupadd)$/, options: { '-p': 'all' } },
];

/** What reads a password from its standard input: what is echoed to it is one. */
export const READERS =
  /^(?:sudo|su|doas|passwd|chpasswd|smbpasswd|kinit|cryptsetup|sshpass|gpg2?|openconnect|htpasswd|login|ecryptfs-[a-z-]+)$|^--?[a-z-]*(?:stdin|passphrase-fd)\b/;

/** @param word of a command line; its folders and quotes do not count. */
export function rulesFor(word: string): readonly Rule[] {
  const name = programName(word);
  return name === '' ? [] : RULES.filter(({ program }) => program.test(name));
}

/** Empty for what is no program's name. */
export function programName(word: string): string {
  const bare = word.replace(/^["'\\]+/, '').replace(/["']$/, '');
  const name = bare.slice(bare.lastIndexOf('/') + 1);
  return name.length <= 40 && /^[\w.-]+$/.test(name) && !name.startsWith('-')
    ? name.replace(/\.(?:exe|sh|pl|py|bin)$/i, '')
    : '';
}
