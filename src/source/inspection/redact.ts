/** Command lines and crontabs hold passwords: what looks like one never gets into a report. */

const HIDDEN = '[secret]';
/** `--password=x`, `-Dkey.storePassword=x`, `DB_TOKEN=x`, `--secret x`. */
const NAMED =
  /((?:pass(?:wor[dt]|wd|phrase)?|pwd|secret|token|api[-_.]?key|access[-_.]?key|credentials?)[\w.-]*(?:\s*[=:]\s*|\s+))(?!-)("[^"]*"|'[^']*'|[^\s"'&;]+)/gi;
/** `scheme://user:x@host`. */
const IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:)[^\s@/]+(?=@)/gi;
/** As the clients of MySQL take it, without a space: `-px`. */
const SHORT = /(\b(?:mysql\w*|mysqladmin|mysqldump|mariadb\w*|sshpass)\b[^|;]*?\s-p)(?!ort\b|rotocol)\S+/g;

export function redact(text: string): string {
  return text.replace(IN_URL, `$1${HIDDEN}`).replace(NAMED, `$1${HIDDEN}`).replace(SHORT, `$1${HIDDEN}`);
}
