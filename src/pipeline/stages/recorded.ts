/** What an image's adaptation goes by and no file of it tells: of the source, and of what was asked for. */
import type { Recorded } from '../../adapt/recorded.ts';
import type { Bind } from '../../oci/binds.ts';
import { byteStringFromText } from '../../printable.ts';
import { servicesFrom } from '../../profiles/services.ts';
import type { SourceFacts } from '../../source/facts.ts';
import type { MigrationRequest } from '../request.ts';

export function recordedOf({ profiles }: Pick<MigrationRequest, 'profiles'>, { filesystems }: SourceFacts): Recorded {
  const binds = filesystems.flatMap(({ verdict, mountPoint: place, original }): Bind[] =>
    verdict === 'bind' && original !== undefined ? [{ place, original }] : [],
  );
  const services = servicesFrom(profiles).length > 0;
  return { binds, volumes: volumePaths(profiles).map(byteStringFromText), services };
}

/** As the image's config has them. */
export function volumePaths(profiles: MigrationRequest['profiles']): string[] {
  return profiles.flatMap((profile) => profile.volumes.map((volume) => volume.path));
}
