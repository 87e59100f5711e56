//! The address allowlist: IPv4 and IPv6 addresses and networks.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// The most entries that an allowlist may have.
pub const MOST: usize = 20;

/// A text that is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is neither an IP address nor a network in CIDR notation such as 203.0.113.0/24 or 2001:db8::/32")]
pub struct InvalidNetwork;

/// The network that `text` names, host bits cleared; a single address is a network of one. IPv4-mapped IPv6
/// (RFC 4291, section 2.5.5.2) becomes IPv4, so that either spelling matches either.
///
/// # Errors
/// [`InvalidNetwork`] for any other text.
pub fn parse_network(text: &str) -> Result<IpNet, InvalidNetwork> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| InvalidNetwork)?,
    };
    Ok(unmap(network).trunc())
}

/// Whether `address` is in one of `networks`; an empty list is no restriction, an unknown address is in none.
#[must_use]
pub fn allows(networks: &[IpNet], address: Option<IpAddr>) -> bool {
    networks.is_empty()
        || address.is_some_and(|address| {
            let address = address.to_canonical();
            networks.iter().any(|network| network.contains(&address))
        })
}

fn unmap(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowed(network: &str, address: &str) -> bool {
        allows(&[parse_network(network).unwrap()], address.parse().ok())
    }

    #[test]
    fn addresses_and_networks_of_both_families() {
        for (network, address, expected) in [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.99/24", "203.0.113.1", true),
            ("203.0.113.0/24", "203.0.114.1", false),
            ("0.0.0.0/0", "198.51.100.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("203.0.113.0/24", "::ffff:203.0.113.5", true),
            ("::ffff:203.0.113.0/120", "203.0.113.5", true),
            ("::ffff:203.0.113.0/120", "203.0.114.5", false),
            ("203.0.113.7", "not an address", false),
        ] {
            assert_eq!(allowed(network, address), expected, "{network} and {address}");
        }
        assert!(allows(&[], None), "no allowlist, no restriction");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.256", "::/129", "10.0.0.0/-1", "010.0.0.1", "10.0.0.0/8 "] {
            assert_eq!(parse_network(bad), Err(InvalidNetwork), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn ipv4_agrees_with_shifting_bits(network: u32, address: u32, length in 0_u32..=32) {
            let same = length == 0 || network >> (32 - length) == address >> (32 - length);
            let network = format!("{}/{length}", std::net::Ipv4Addr::from(network));
            prop_assert_eq!(allowed(&network, &std::net::Ipv4Addr::from(address).to_string()), same);
        }
    }
}
