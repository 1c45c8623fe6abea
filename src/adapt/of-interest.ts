/** What recipes may look at: configuration, init, and the programs that they start. */

const OF_INTEREST =
  /^\/(?:[^/]*|etc\/.*|(?:usr\/)?s?bin\/[^/]+|usr\/[^/]+|(?:usr\/)?lib\/[^/]+|(?:usr\/)?lib\/(?:systemd|init|os\.release\.d)\/.*|dev\/shm|var|var\/lib|var\/lib\/dbus(?:\/.*)?)$/;

/** Whether a tree knows what lies at the path, and around it. */
export function isOfInterest(path: string): boolean {
  return OF_INTEREST.test(path);
}
