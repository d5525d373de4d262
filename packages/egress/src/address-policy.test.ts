import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressPolicy, isCidr, type AddressClass } from './address-policy.ts';

const { classify } = createAddressPolicy({ denyCidrs: [], nat64: false });

describe('classifying an address', () => {
  it.each<[string, AddressClass]>([
    ['8.8.8.8', 'public'],
    ['1.1.1.1', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['198.17.255.255', 'public'],
    ['198.20.0.0', 'public'],
    ['223.255.255.255', 'public'],
    ['168.63.129.15', 'public'],
    ['10.0.0.0', 'internal'],
    ['172.31.255.255', 'internal'],
    ['192.168.255.255', 'internal'],
    ['100.64.0.0', 'internal'],
    ['127.255.255.254', 'loopback'],
    ['100.100.100.200', 'forbidden'],
    ['168.63.129.16', 'forbidden'],
    ['169.254.0.1', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['240.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['2606:4700:4700::1111', 'public'],
    ['2001:200::1', 'public'],
    ['2001:1ff:ffff::1', 'forbidden'],
    ['2001:db8::1', 'forbidden'],
    ['2002:7f00:1::', 'forbidden'],
    ['3fff:fff:ffff::1', 'forbidden'],
    ['3fff:1000::1', 'public'],
    ['fd12:3456::1', 'internal'],
    ['fd00:ec2::254', 'forbidden'],
    ['fd20:ce::254', 'forbidden'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::', 'forbidden'],
    ['::ffff:8.8.8.8', 'forbidden'],
    ['::ffff:127.0.0.1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['4000::1', 'forbidden'],
    ['ff02::1', 'forbidden'],
    ['localhost', 'forbidden'],
    ['', 'forbidden'],
  ])('%s is %s', (address, expected) => {
    expect(classify(address)).toBe(expected);
  });

  it('V115: no IPv6 wrapping of an IPv4 address is judged more leniently than the address itself', () => {
    const severity: AddressClass[] = ['public', 'internal', 'loopback', 'forbidden'];
    for (const nat64 of [false, true]) {
      const policy = createAddressPolicy({ denyCidrs: ['9.9.9.0/24'], nat64 });
      fc.assert(
        fc.property(ipv4Arbitrary(), (bytes) => {
          const plain = severity.indexOf(policy.classify(bytes.join('.')));
          for (const wrapped of wrappings(bytes)) {
            expect(severity.indexOf(policy.classify(wrapped)), wrapped).toBeGreaterThanOrEqual(plain);
          }
        }),
        { numRuns: 2_000 },
      );
    }
  });

  it('takes NAT64 addresses as the IPv4 address inside only when told that there is a NAT64', () => {
    const policy = createAddressPolicy({ denyCidrs: [], nat64: true });
    expect(policy.classify('64:ff9b::5db8:d822')).toBe('public');
    expect(policy.classify('64:ff9b::a9fe:a9fe')).toBe('forbidden');
    expect(policy.classify('64:ff9b::10.0.0.1')).toBe('internal');
    expect(policy.classify('64:ff9b:0:1::1')).toBe('forbidden');
    expect(classify('64:ff9b::5db8:d822')).toBe('forbidden');
  });

  it("counts the operator's own ranges as internal, and never loosens what was worse", () => {
    const policy = createAddressPolicy({ denyCidrs: ['1.1.1.0/24', '169.254.0.0/16', '2606:4700::/32'], nat64: false });
    expect(policy.classify('1.1.1.1')).toBe('internal');
    expect(policy.classify('1.1.2.1')).toBe('public');
    expect(policy.classify('169.254.169.254')).toBe('forbidden');
    expect(policy.classify('2606:4700:4700::1111')).toBe('internal');
  });

  it('judges every spelling of an IPv6 address alike', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        const short = new URL(`http://[${long}]`).hostname.slice(1, -1);
        expect(classify(short)).toBe(classify(long));
        expect(classify(long.toUpperCase())).toBe(classify(long));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['10.0.0.0/8', true],
    ['fd00::/8', true],
    ['10.0.0.0', false],
    ['10.0.0.0/33', false],
    ['10.0.0.0/8/8', false],
    ['fd00::/129', false],
    ['example.org/8', false],
  ])('knows whether %s is a CIDR', (text, expected) => {
    expect(isCidr(text)).toBe(expected);
  });
});

/** Any address, with the interesting ranges far more often than chance would have it. */
function ipv4Arbitrary() {
  const byte = fc.integer({ min: 0, max: 255 });
  const starts = [
    [127, 0],
    [10, 0],
    [169, 254],
    [172, 16],
    [192, 168],
    [100, 64],
    [100, 100],
    [168, 63],
    [9, 9],
    [0, 0],
    [224, 0],
  ];
  return fc.oneof(
    fc.tuple(byte, byte, byte, byte),
    fc.tuple(fc.constantFrom(...starts), byte, byte).map(([[a = 0, b = 0], c, d]) => [a, b, c, d] as const),
  );
}

function wrappings(bytes: readonly [number, number, number, number]): string[] {
  const [a, b, c, d] = bytes;
  const high = ((a << 8) | b).toString(16);
  const low = ((c << 8) | d).toString(16);
  const dotted = bytes.join('.');
  return [
    `::ffff:${dotted}`,
    `::ffff:${high}:${low}`,
    // `::0.0.0.1` wraps nothing: it is `::1`, the loopback of IPv6.
    ...(dotted === '0.0.0.1' ? [] : [`::${dotted}`]),
    `::ffff:0:${dotted}`,
    `64:ff9b::${dotted}`,
    `64:ff9b:1::${dotted}`,
    `2002:${high}:${low}::1`,
    `::5efe:${high}:${low}`,
    `2001::${high}:${low}`,
  ];
}
