/** Labels that say what of a machine the containers of an image are to have: written at the capture, obeyed by the runner. */
export const RUN_LABELS = {
  network: 'io.p2c.run.network',
  ip: 'io.p2c.run.ip',
  /** Bytes. */
  memory: 'io.p2c.run.memory',
  /** Bytes. */
  shmSize: 'io.p2c.run.shm-size',
  /** Processors. */
  cpus: 'io.p2c.run.cpus',
  pidsLimit: 'io.p2c.run.pids-limit',
  /** `nofile=1024:4096 memlock=-1`: as `--ulimit` takes them, with spaces between. */
  ulimits: 'io.p2c.run.ulimits',
} as const;

/** Labels of what is known. */
export function runLabels(
  wishes: { readonly [Name in keyof typeof RUN_LABELS]?: string | number | undefined },
): Record<string, string> {
  const names = Object.keys(RUN_LABELS).filter((name): name is keyof typeof RUN_LABELS => name in RUN_LABELS);
  return Object.fromEntries(
    names.flatMap((name) => (wishes[name] === undefined ? [] : [[RUN_LABELS[name], String(wishes[name])]])),
  );
}
