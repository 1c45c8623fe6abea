/** Carries a network configuration list out for one container (CNI specification 1.0.0, section 4). */
import * as z from 'zod';
import { P2cError } from '../../errors.ts';
import { interfaceExists } from './bridge.ts';
import type { Conflist, PluginConfiguration } from './conflist.ts';
import { callPlugin, type PluginCommand } from './plugin.ts';

/** What the list is carried out with; the same for DEL as it was for ADD. */
export const attachmentSchema = z.object({
  /** The interface in the container. */
  interfaceName: z.string(),
  /** CNI_ARGS. */
  arguments: z.string(),
  /** What a plugin gets of it is what it says it is able to take (`capabilities`). */
  runtimeConfig: z.record(z.string(), z.unknown()),
  /** The namespace that the network itself lies in, where that is not the machine's. */
  from: z.string().optional(),
});
export type AttachmentOptions = z.output<typeof attachmentSchema>;

/** CNI's success result, as far as p2c reads it. */
export const resultSchema = z.looseObject({
  interfaces: z
    .array(z.looseObject({ name: z.string(), mac: z.string().optional(), sandbox: z.string().optional() }))
    .default([]),
  ips: z.array(z.looseObject({ address: z.string(), gateway: z.string().optional() })).default([]),
});
export type CniResult = z.output<typeof resultSchema>;

/** @throws P2cError `network.*`; what was done until then is for `removeFrom`. */
export async function addTo(
  list: Conflist,
  containerId: string,
  namespace: string,
  options: AttachmentOptions,
): Promise<CniResult> {
  let result: CniResult | undefined;
  for (const plugin of list.plugins) {
    const said = await call('ADD', list, plugin, { containerId, namespace, options, result });
    const parsed = resultSchema.safeParse(said);
    if (!parsed.success) {
      throw new P2cError(`the network plugin '${plugin.type}' answered what is no result of CNI`, {
        code: 'network.plugin',
        cause: parsed.error,
      });
    }
    result = parsed.data;
  }
  return result ?? { interfaces: [], ips: [] };
}

/**
 * In reverse order; a plugin that fails keeps no other from its work. What was never added is removed without complaint.
 * @param namespace empty where it is gone.
 * @param result ADD's, where it came to that.
 * @throws P2cError `network.plugin`: the first failure.
 */
export async function removeFrom(
  list: Conflist,
  containerId: string,
  namespace: string,
  options: AttachmentOptions,
  result: CniResult | undefined,
): Promise<void> {
  const failures: unknown[] = [];
  for (const plugin of list.plugins.toReversed()) {
    await callDelete(list, plugin, { containerId, namespace, options, result }).catch((error: unknown) => {
      failures.push(error);
    });
  }
  if (failures.length > 0) throw failures[0];
}

/**
 * The plugin macvlan refuses to remove what lies on an interface that is gone (plugins/main/macvlan/macvlan.go reads its
 * MTU first). The container's own went with it then, and only the lease is left.
 */
async function callDelete(list: Conflist, plugin: PluginConfiguration, context: Context): Promise<void> {
  const { master, ipam } = plugin;
  const address = typeof ipam?.['type'] === 'string' ? ipam['type'] : undefined;
  const orphan = typeof master === 'string' && !interfaceExists(master) && address !== undefined;
  if (orphan) await call('DEL', list, { ...plugin, type: address }, context);
  else await call('DEL', list, plugin, context);
}

interface Context {
  readonly containerId: string;
  readonly namespace: string;
  readonly options: AttachmentOptions;
  readonly result: CniResult | undefined;
}

function call(command: PluginCommand, list: Conflist, plugin: PluginConfiguration, context: Context): Promise<unknown> {
  const { options, result } = context;
  const able = z.record(z.string(), z.unknown()).safeParse(plugin['capabilities']).data ?? {};
  const runtimeConfig = Object.fromEntries(
    Object.entries(options.runtimeConfig).filter(([name]) => able[name] === true),
  );
  return callPlugin({
    type: plugin.type,
    command,
    containerId: context.containerId,
    namespace: context.namespace,
    interfaceName: options.interfaceName,
    arguments: options.arguments,
    from: options.from,
    configuration: {
      ...plugin,
      cniVersion: list.cniVersion,
      name: list.name,
      ...(Object.keys(runtimeConfig).length > 0 ? { runtimeConfig } : {}),
      ...(result === undefined ? {} : { prevResult: result }),
    },
  });
}
