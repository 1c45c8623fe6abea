/** The usual suspects among licences that are bound to a machine: a copy of it may then refuse to work. */
import { type Fact, known } from './fact.ts';
import type { ServerProcess } from './processes.ts';
import type { Answers, Section } from './sections.ts';

export interface LicenceSign {
  /** `process lmgrd`, `/opt/app/license.dat`, `USB 0529:0001`. */
  readonly found: string;
  readonly meaning: string;
}

export const LICENCE_SECTIONS: readonly Section[] = [
  {
    name: 'usb',
    script:
      'for d in /sys/bus/usb/devices/*; do [ -r $d/idVendor ] && echo "$(cat $d/idVendor):$(cat $d/idProduct) $(cat $d/product)"; done; cat /proc/bus/usb/devices | grep Vendor=',
    maxBytes: 16_384,
  },
  {
    name: 'licence-files',
    // Three levels and no deeper: this must end in a second on any disk.
    script:
      'ls -d /etc/hasplm* /usr/sbin/aksusbd* /usr/sbin/hasplmd* /etc/wibu /etc/wibukey /usr/sbin/CodeMeterLin /usr/local/flexlm /opt/flexlm /usr/local/share/flexlm /etc/lmgrd* /var/hasplm; ls -d /opt/*.lic /opt/*/*.lic /opt/*/*/*.lic /opt/*/license.dat /opt/*/*/license.dat /usr/local/*.lic /usr/local/*/*.lic /usr/local/*/license.dat /etc/*.lic /etc/*/*.lic /var/flexlm/*.lic',
    maxBytes: 16_384,
  },
];

const PROCESSES: readonly (readonly [RegExp, string])[] = [
  [/^lmgrd/, 'FlexLM serves licences, bound to the hardware address or the host id of the machine'],
  [/^(?:hasplmd|aksusbd|hasplm|winehasp)/, 'Sentinel HASP: a USB dongle, or a key bound to the hardware'],
  [/^(?:CodeMeter|WibuKey)/i, 'WIBU CodeMeter: a USB dongle, or a key bound to the hardware'],
  [/^rlm$/, 'Reprise (RLM) serves licences, bound to the hardware address or the host id'],
  [/^(?:i4lmd|i4llmd|i4glbcd)/, 'IBM LUM serves licences, bound to the machine'],
  [/^(?:lserv|sntlkeyssrvr|spnsrvlnx)/, 'Sentinel RMS or SuperPro serves licences, bound to the machine or a dongle'],
  [/^adskflex|_lmd$|^[a-z]+lmd$/, 'a vendor daemon of FlexLM'],
];

/** Vendors of dongles (usb.ids). */
const DONGLES: Readonly<Record<string, string>> = {
  '0529': 'Aladdin HASP',
  '04b9': 'Rainbow Sentinel',
  '064f': 'WIBU CodeMeter',
  '096e': 'Feitian Rockey',
  '1bc0': 'Senselock',
  '0a89': 'Guardant',
  '1547': 'Keylok',
};

export function readLicences(answers: Answers, processes: Fact<readonly ServerProcess[]>): Fact<LicenceSign[]> {
  const running = 'value' in processes ? processes.value : [];
  const signs = [
    ...running.flatMap(({ name }) => {
      const meaning = PROCESSES.find(([pattern]) => pattern.test(name))?.[1];
      return meaning === undefined ? [] : [{ found: `process ${name}`, meaning }];
    }),
    ...answers.lines('usb').flatMap((line) => {
      const id = /^([0-9a-f]{4}):[0-9a-f]{4}/.exec(line)?.[1] ?? /Vendor=([0-9a-f]{4})/.exec(line)?.[1] ?? '';
      const vendor = DONGLES[id];
      return vendor === undefined
        ? []
        : [{ found: `USB ${line.trim()}`, meaning: `a dongle of ${vendor}: the container needs its device` }];
    }),
    ...answers.lines('licence-files').map((path) => ({
      found: path,
      meaning: /\.(?:lic|dat)$/.test(path)
        ? 'a licence file: see whether it names a host id or a hardware address'
        : 'software of dongles or licence servers',
    })),
  ];
  const distinct = signs.filter(({ found }, index) => signs.findIndex((sign) => sign.found === found) === index);
  return known(distinct, 'unknown' in processes ? `processes are not known: ${processes.unknown}` : undefined);
}
