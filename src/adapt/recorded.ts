/** What was recorded of the server at the capture, and no file of the image tells. */
import { type Bind, bindsOf } from '../oci/binds.ts';
import type { Image } from '../oci/image.ts';
import { servicesOf } from '../oci/services.ts';
import { type ByteString, byteStringFromText } from '../printable.ts';

export interface Recorded {
  readonly binds: readonly Bind[];
  /** Where the runner mounts volumes. */
  readonly volumes: readonly ByteString[];
  /** Whether a script starts the applications where no init does. */
  readonly services: boolean;
}

export function recordedIn(image: Pick<Image, 'config'>): Recorded {
  const volumes = Object.keys(image.config.config?.Volumes ?? {});
  return {
    binds: bindsOf(image),
    volumes: volumes.map(byteStringFromText),
    services: servicesOf(image).length > 0,
  };
}
