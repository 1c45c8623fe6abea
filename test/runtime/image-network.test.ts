import test from 'ava';
import type { ImageConfig } from '../../src/oci/spec.ts';
import { networkFor } from '../../src/runtime/image-network.ts';
import type { NetworkWish } from '../../src/runtime/network/resolve.ts';
import { NO_WISH } from '../helpers/network-wish.ts';

function addressOf(labels: Record<string, string>, wish: Partial<NetworkWish>): string | undefined {
  const config: ImageConfig = {
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: labels },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  };
  return networkFor({ config }, { ...NO_WISH, ...wish }).address;
}

const LABELS = { 'io.p2c.run.network': 'old', 'io.p2c.run.ip': '172.16.0.2' };

test('who joins the network that an image is meant for has the address that is meant for it', (t) => {
  t.is(addressOf(LABELS, { networks: ['old'] }), '172.16.0.2');
  t.is(addressOf({ 'io.p2c.run.ip': '172.16.0.2' }, { networks: ['bridge'] }), '172.16.0.2');
  t.is(addressOf(LABELS, { networks: ['old'], address: '172.16.0.9' }), '172.16.0.9');
});

test('an image joins no network by itself, and takes its address into no other', (t) => {
  t.is(addressOf(LABELS, {}), undefined);
  t.is(addressOf(LABELS, { quarantine: true }), undefined);
  t.is(addressOf(LABELS, { networks: ['other'] }), undefined);
  t.is(addressOf(LABELS, { networks: ['old', 'other'] }), undefined);
  t.is(addressOf({ ...LABELS, 'io.p2c.run.network': 'host' }, { networks: ['host'] }), undefined);
  t.is(addressOf({ ...LABELS, 'io.p2c.run.ip': '1.2.3.4; reboot' }, { networks: ['old'] }), undefined);
});
