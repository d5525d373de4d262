import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * What connecting to an address would mean. `internal`: a private network, reachable only for an origin that the operator has
 * allowed. `loopback`: this machine, only for a development origin. `forbidden`: never, whatever is allowed (metadata services,
 * link-local, multicast, reserved and translated ranges).
 */
export type AddressClass = 'public' | 'internal' | 'loopback' | 'forbidden';

export type AddressRules = {
  /** CIDRs that are our own network although they look public, such as the pod range of some managed clusters. */
  readonly denyCidrs: readonly string[];
  /** True where `64:ff9b::/96` is a working NAT64: its addresses then count as the IPv4 address inside. */
  readonly nat64: boolean;
};

export type AddressPolicy = { classify(address: string): AddressClass };

/** The classifier of every address before a connection is made to it. Throws a TypeError on a CIDR that is none. */
export function createAddressPolicy(rules: AddressRules): AddressPolicy {
  const own = blockList(rules.denyCidrs);
  const classify = (address: string): AddressClass => {
    const family = address.includes('%') ? 0 : isIP(address);
    if (family === 0) return 'forbidden';
    if (family === 4) return worse(classifyIpv4(address), own.check(address, 'ipv4') ? 'internal' : 'public');
    const groups = ipv6Groups(address);
    if (rules.nat64 && isNat64(groups)) return classify(lastIpv4(groups));
    return worse(classifyIpv6(address), own.check(address, 'ipv6') ? 'internal' : 'public');
  };
  return { classify };
}

/** True when the text is a CIDR such as `10.0.0.0/8` or `fd00::/8`. */
export function isCidr(text: string): boolean {
  const [address, length, ...rest] = text.split('/');
  if (address === undefined || length === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length)) return false;
  const family = isIP(address);
  return family !== 0 && !address.includes('%') && Number(length) <= (family === 4 ? 32 : 128);
}

const SEVERITY: readonly AddressClass[] = ['public', 'internal', 'loopback', 'forbidden'];

function worse(left: AddressClass, right: AddressClass): AddressClass {
  return SEVERITY.indexOf(left) >= SEVERITY.indexOf(right) ? left : right;
}

/** IANA's special-purpose registries and what cloud platforms put beside them. Metadata comes first, inside wider ranges. */
const IPV4_FORBIDDEN = blockList([
  '0.0.0.0/8',
  '169.254.0.0/16', // link-local: the metadata service of most clouds
  '100.100.100.200/32', // Alibaba's metadata service, inside 100.64.0.0/10
  '168.63.129.16/32', // Azure's wire server, a public range
  '192.0.0.0/24', // includes Oracle's metadata service
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]);
const IPV4_INTERNAL = blockList(['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16']);
const IPV4_LOOPBACK = blockList(['127.0.0.0/8']);

const IPV6_GLOBAL = blockList(['2000::/3']);
const IPV6_FORBIDDEN_GLOBAL = blockList([
  '2001::/23', // Teredo, ORCHID and other protocol assignments
  '2001:db8::/32',
  '2002::/16', // 6to4: carries any IPv4 address
  '3fff::/20',
]);
const IPV6_INTERNAL = blockList(['fc00::/7']);
const IPV6_METADATA = blockList(['fd00:ec2::/32', 'fd20:ce::/32']); // AWS, Google

function classifyIpv4(address: string): AddressClass {
  if (IPV4_FORBIDDEN.check(address, 'ipv4')) return 'forbidden';
  if (IPV4_LOOPBACK.check(address, 'ipv4')) return 'loopback';
  return IPV4_INTERNAL.check(address, 'ipv4') ? 'internal' : 'public';
}

/** Outside of `2000::/3` there is nothing public: mapped, compatible, translated and unassigned forms all end as `forbidden`. */
function classifyIpv6(address: string): AddressClass {
  if (IPV6_GLOBAL.check(address, 'ipv6')) {
    return IPV6_FORBIDDEN_GLOBAL.check(address, 'ipv6') ? 'forbidden' : 'public';
  }
  if (ipv6Groups(address).join(':') === '0:0:0:0:0:0:0:1') return 'loopback';
  if (IPV6_METADATA.check(address, 'ipv6')) return 'forbidden';
  return IPV6_INTERNAL.check(address, 'ipv6') ? 'internal' : 'forbidden';
}

function isNat64(groups: readonly number[]): boolean {
  return groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
}

function lastIpv4(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The eight 16-bit groups of a valid IPv6 address without a zone. */
function ipv6Groups(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const before = parseGroups(head);
  if (tail === undefined) return before;
  const after = parseGroups(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function parseGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!isIPv4(part)) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    if (!isCidr(cidr)) throw new TypeError('not a CIDR');
    const [address = '', length] = cidr.split('/');
    list.addSubnet(address, Number(length), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}
