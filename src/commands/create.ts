/** `p2c create`: a container of an image, ready to start. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { createContainer } from '../runtime/create.ts';
import { defineVerb } from './command.ts';
import { noteDamagedArtifacts } from './damaged-note.ts';
import { engineFor } from './engine-note.ts';
import { tellInit } from './init-note.ts';
import { tellLacks } from './lacks-note.ts';
import { noteLoweredLimits } from './limit-note.ts';
import { tellQuarantine } from './quarantine-note.ts';
import { createOptions, withContainerOptions } from './run-options/all.ts';

export const verb = defineVerb({
  name: 'create',
  usage: '[options] IMAGE [COMMAND [ARGUMENT...]]',
  summary: 'make a container of an image, and do not start it; the options are those of run',
  wrapsCommand: true,
  examples: [
    ['p2c create --name old -h old01 -it legacy:1 /bin/bash', 'ready to start'],
    ['p2c start -ai old', 'starts it with this terminal'],
  ],
  options: (parser) => withContainerOptions(parser),
  async run(options, words) {
    const [image, ...command] = words;
    if (image === undefined) {
      throw usageError('no image is named', { code: 'usage', hint: "'p2c images' lists them" });
    }
    const wanted = createOptions(options, command);
    noteLoweredLimits(wanted.ulimits);
    const root = storeRoot();
    const engine = await engineFor(root, wanted.engine);
    const store = await ImageStore.open(root);
    await noteDamagedArtifacts(store);
    const container = await createContainer(store, image, wanted, engine);
    tellInit(container, wanted.init);
    tellLacks(container);
    await tellQuarantine(container);
    process.stdout.write(`${container.definition.id}\n`);
    return ExitCode.done;
  },
});
