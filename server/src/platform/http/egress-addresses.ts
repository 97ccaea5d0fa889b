import ip from 'ipaddr.js'

/** Which addresses a URL that a stranger chose may lead to. */
export interface EgressRules {
  /** Networks of our own that may be reached all the same. CIDR. */
  readonly allow: readonly string[]
  /** This install is a developer's: its own machine may be reached, and by http. */
  readonly loopback: boolean
}

type Address = ip.IPv4 | ip.IPv6

/** Throws for what is no CIDR. */
export function createAddressRule({ allow, loopback }: EgressRules) {
  const allowed = allow.map((cidr) => ip.parseCIDR(cidr))
  return function mayReach(text: string): boolean {
    if (!ip.isValid(text)) return false
    const address = ip.process(text) // ::ffff:127.0.0.1 is 127.0.0.1
    if (METADATA.some((one) => matches(address, one))) return false
    if (allowed.some((one) => matches(address, one))) return true
    const range = address.range()
    if (range === 'loopback') return loopback
    // `unicast` holds leftovers such as ::7f00:1; public IPv6 is 2000::/3.
    return range === 'unicast' && (address.kind() === 'ipv4' || matches(address, PUBLIC_IPV6))
  }
}

const PUBLIC_IPV6 = ip.parseCIDR('2000::/3')

// Clouds hand out the machine's own credentials there: no setting opens these.
const METADATA = ['169.254.0.0/16', 'fd00:ec2::254/128'].map((cidr) => ip.parseCIDR(cidr))

function matches(address: Address, [network, bits]: [Address, number]): boolean {
  return address.kind() === network.kind() && address.match([network, bits] as never)
}
