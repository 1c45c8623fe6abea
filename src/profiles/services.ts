/** The applications of profiles as an image carries them: how they are started and stopped where its init does not run. */
import type { ServiceStep, Services } from '../oci/services.ts';
import { applicationsOf } from './application.ts';
import type { Profile, StartStep, StopStep } from './schema.ts';

/** In the order of their start, which is the reverse of the stop. */
export function servicesFrom(profiles: readonly Profile[]): Services {
  const all = applicationsOf(profiles).map(({ name, start, stop }) => ({
    name,
    start: start.map(({ step }) => carried(step)),
    stop: stop.map(({ step }) => carried(step)),
  }));
  return all.reverse();
}

function carried({ run, service, user, env, timeout }: StartStep | StopStep): ServiceStep {
  return {
    ...(run === undefined ? {} : { run }),
    ...(service === undefined ? {} : { service }),
    ...(user === undefined ? {} : { user }),
    env,
    seconds: Math.max(1, timeout / 1000),
  };
}
