/** A volume as `podman volume inspect` shows it. */
import { type StoredVolume, volumeData } from '../runtime/volumes/volumes.ts';

export function volumeRecord(root: string, { name, created, anonymous, labels }: StoredVolume) {
  return {
    Name: name,
    Driver: 'local',
    Mountpoint: volumeData(root, name),
    CreatedAt: created,
    Labels: labels,
    Scope: 'local',
    Options: {},
    Anonymous: anonymous,
  };
}
