/** Text in a vault of Ansible's (version 1.1), as `ansible-vault encrypt` makes it. */
import { createCipheriv, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export function vaultOf(text: string, password: string): string {
  const salt = randomBytes(32);
  const keys = pbkdf2Sync(password, salt, 10_000, 80, 'sha256');
  const plain = Buffer.from(text);
  const padding = 16 - (plain.length % 16);
  const cipher = createCipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64));
  const content = Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(padding, padding)), cipher.final()]);
  const digest = createHmac('sha256', keys.subarray(32, 64)).update(content).digest();
  const body = Buffer.from([salt, digest, content].map((field) => field.toString('hex')).join('\n')).toString('hex');
  return `$ANSIBLE_VAULT;1.1;AES256\n${body.replace(/.{80}/g, '$&\n')}\n`;
}
