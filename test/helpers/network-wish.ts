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
