/** Where a container's monitor is reached: a socket in the container's folder, which is root's alone. */
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';

const NAME = 'attach';

/** The path of a socket holds 107 bytes (unix(7)), which a store's may exceed: it is reached through its open folder. */
async function inFolder<Result>(folder: string, use: (path: string) => Promise<Result>): Promise<Result> {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await use(join('/proc/self/fd', String(descriptor), NAME));
  } finally {
    closeSync(descriptor);
  }
}

/** A socket that an earlier monitor left is replaced: a container has one monitor at a time. */
export async function listenIn(folder: string): Promise<Server> {
  await rm(join(folder, NAME), { force: true });
  const server = createServer({ allowHalfOpen: false });
  return inFolder(
    folder,
    (path) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ path, exclusive: true }, () => resolve(server));
      }),
  );
}

/** @returns undefined where no monitor listens. */
export async function connectIn(folder: string): Promise<Socket | undefined> {
  try {
    return await inFolder(
      folder,
      (path) =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect({ path }, () => resolve(socket.off('error', reject)));
          socket.once('error', reject);
        }),
    );
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
