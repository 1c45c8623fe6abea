/** All that `run` and `create` have in common. */
import type { Argv } from 'yargs';
import type { CreateOptions } from '../../runtime/options.ts';
import { type InitArguments, initOptions, withInit } from './init.ts';
import { type IsolationArguments, isolationOptions, withIsolation } from './isolation.ts';
import { type LifecycleArguments, lifecycleOptions, withLifecycle } from './lifecycle.ts';
import { type NetworkArguments, networkOptions, withNetwork } from './network.ts';
import { type ProcessArguments, processOptions, withProcess } from './process.ts';
import { type ResourceArguments, resourceOptions, withResources } from './resources.ts';
import { type VolumeArguments, volumeOptions, withVolumes } from './volumes.ts';

export type ContainerArguments = ProcessArguments &
  InitArguments &
  IsolationArguments &
  ResourceArguments &
  NetworkArguments &
  VolumeArguments &
  LifecycleArguments;

export function withContainerOptions<Options>(parser: Argv<Options>): Argv<Options & ContainerArguments> {
  return withIsolation(withResources(withVolumes(withNetwork(withInit(withProcess(withLifecycle(parser)))))));
}

/**
 * @param command the words after the image.
 * @throws P2cError (usage).
 */
export function createOptions(given: ContainerArguments, command: readonly string[]): CreateOptions {
  return {
    ...processOptions(given, command),
    ...initOptions(given),
    ...isolationOptions(given),
    ...resourceOptions(given),
    ...networkOptions(given),
    ...volumeOptions(given),
    ...lifecycleOptions(given),
  };
}
