/** IPv4 addresses and subnets as numbers: what is in which, and which come first. */

/** `base` is the subnet's own address, all host bits zero; `prefix` their counterpart's length, 0 to 32. */
export interface Subnet {
  readonly base: number;
  readonly prefix: number;
}

const PART = /^(?:0|[1-9]\d{0,2})$/;

/** @returns undefined for what is no dotted quad (RFC 6943 section 3.1.1, the strict form). */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !PART.test(part) || Number(part) > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** `10.1.2.3/24` is the subnet `10.1.2.0/24`. @returns undefined for what is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  const number = parseAddress(address);
  const prefix = Number(length);
  if (number === undefined || more.length > 0 || !/^\d{1,2}$/.test(length) || prefix > 32) return undefined;
  return { base: number - (number % sizeOf(prefix)), prefix };
}

export function formatSubnet({ base, prefix }: Subnet): string {
  return `${formatAddress(base)}/${prefix}`;
}

/** The first address that a machine may have there. */
export function firstOf({ base, prefix }: Subnet): number {
  return prefix > 30 ? base : base + 1;
}

/** The last one, before that of broadcasts. */
export function lastOf({ base, prefix }: Subnet): number {
  return base + sizeOf(prefix) - (prefix > 30 ? 1 : 2);
}

export function holds(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + sizeOf(subnet.prefix);
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return holds(one, other.base) || holds(other, one.base);
}

function sizeOf(prefix: number): number {
  return 2 ** (32 - prefix);
}
