/** Labels by which an image's config says what system it holds: adaptation writes them, the runner goes by them. */
export const SYSTEM_LABELS = {
  /** `sysvinit`, `upstart`, `systemd`, or `none` where p2c knows none. */
  init: 'io.p2c.init',
  /** What that init starts by itself: `2`, `multi-user.target`. */
  runlevel: 'io.p2c.init.runlevel',
  /** `v1` for a systemd that knows no other cgroups. */
  cgroups: 'io.p2c.init.cgroups',
  /** For people: `el6 (upstart)`. */
  system: 'io.p2c.system',
  /** How the applications of the profiles are started and stopped, as JSON. */
  services: 'io.p2c.services',
  /** Bind mounts of the server, and where their files are, as JSON. */
  binds: 'io.p2c.binds',
} as const;
