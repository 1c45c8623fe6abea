/** What is left on this machine, or in the store, of containers that are no more and of processes that were killed. */

export type StrayKind =
  | 'process'
  | 'mount'
  | 'cgroup'
  | 'network'
  | 'namespace'
  | 'lease'
  | 'bridge'
  | 'chains'
  | 'records'
  | 'container'
  | 'name'
  | 'file';

export interface Stray {
  readonly kind: StrayKind;
  /** Its path, name or number. */
  readonly what: string;
  /** Whose it was. */
  readonly of: string;
  /** Takes it away, unless it came to life meanwhile. What is gone already is no error. */
  remove(): Promise<void>;
}
