/**
 * Packages of the programs that Debian has and a shipped profile knows. All tests that need some of them take all of them:
 * then the lab makes one base.
 */
export const EVERYTHING = [
  'apache2',
  'bind9',
  'curl',
  'mariadb-server',
  'openjdk-17-jre-headless',
  'php-fpm',
  'postfix',
  'postgresql',
  'redis-server',
  'tomcat10',
] as const;
