import type { NetworkWishes } from '../../src/runtime/network/conflist.ts';
import type { NetworkWish } from '../../src/runtime/network/resolve.ts';

/** Nothing is asked of the network. */
export const NO_WISH: NetworkWish = {
  networks: [],
  ports: [],
  publishAll: false,
  expose: [],
  dns: [],
  search: [],
  hosts: [],
  quarantine: false,
};

/** A bridge of its own, as a network is made of it. */
export const BRIDGE: NetworkWishes = {
  created: '2026-01-01T00:00:00.000Z',
  driver: 'bridge',
  interface: 'br0',
  subnet: '172.16.0.0/24',
  gateway: '172.16.0.1',
  internal: false,
  isolated: false,
  ownBridge: true,
};
