/** p2c's own session with a lab server, as root. */
import { connect } from '../../src/ssh/connect.ts';
import type { Session } from '../../src/ssh/session.ts';
import type { LabServer } from './lab.ts';

export function connectToLab(
  server: Pick<LabServer, 'address' | 'port' | 'identity' | 'knownHosts'>,
): Promise<Session> {
  return connect(
    { user: 'root', host: server.address, port: server.port, name: `root@${server.address}` },
    { identities: [server.identity], knownHostsFiles: [server.knownHosts], agent: null },
  );
}
