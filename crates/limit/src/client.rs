//! Who counts as one client.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::network::Network;

/// An identity that was proved, else the address that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    Named(Arc<str>),
    V4(Ipv4Addr),
    /// The first 64 bits: one customer has that many addresses at least, and could use a fresh one
    /// for each request.
    V6([u8; 8]),
}

impl Hash for Client {
    /// In one word where that is enough: this is on the way of every request.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Named(name) => name.hash(state),
            Self::V4(address) => state.write_u64(u64::from(address.to_bits())),
            Self::V6(prefix) => state.write_u64(u64::from_be_bytes(*prefix)),
        }
    }
}

impl Client {
    /// The client behind `peer`. `forwarded` are the values of the `X-Forwarded-For` headers in
    /// their order; they are read from the right and only as far as every sender is trusted: what
    /// stands further left, anybody can have written.
    pub fn behind<'a>(
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
        trusted: &[Network],
    ) -> Self {
        let mut address = peer.to_canonical();
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(address) {
            return Self::at(address);
        }
        let said = forwarded.rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
        for one in said {
            // What cannot be read was not written by a proxy that we know.
            let Some(sender) = read(one) else { break };
            address = sender;
            if !is_trusted(address) {
                break;
            }
        }
        Self::at(address)
    }

    pub fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// An address as proxies write it: alone, with a port, in brackets.
fn read(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t', '"']);
    let address = if let Some(rest) = text.strip_prefix('[') {
        rest.split_once(']')?.0
    } else if let Some((address, _port)) = text.split_once(':').filter(|(_, port)| !port.contains(':')) {
        address
    } else {
        text
    };
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(prefix) => {
                let bits = u128::from(u64::from_be_bytes(*prefix)) << 64;
                write!(f, "{}/64", Ipv6Addr::from_bits(bits))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<Network> =
            trusted.iter().map(|text| text.parse().unwrap_or_else(|bad| panic!("{text} {bad}"))).collect();
        let peer = peer.parse().unwrap_or_else(|bad| panic!("{peer} {bad}"));
        Client::behind(peer, forwarded.iter().map(|value| value.as_bytes()), &trusted).to_string()
    }

    #[test]
    fn s7_a_forged_header_from_an_untrusted_peer_changes_nothing() {
        for forged in
            ["1.2.3.4", "10.0.0.1", "203.0.113.9, 10.0.0.1", "::1", "", ",,,", "\"", "[::1", "unknown"]
        {
            assert_eq!(behind("203.0.113.9", &[forged], &["10.0.0.0/8"]), "203.0.113.9", "{forged:?}");
            assert_eq!(behind("203.0.113.9", &[forged], &[]), "203.0.113.9", "{forged:?}");
        }
    }

    #[test]
    fn s7_the_rightmost_untrusted_address_is_the_client() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (forwarded, client) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (&["1.1.1.1,198.51.100.7, 10.9.9.9"], "198.51.100.7"),
            (&["1.1.1.1", "198.51.100.7", "10.9.9.9 ,\t10.8.8.8"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["::ffff:198.51.100.7"], "198.51.100.7"),
            (&["[2606:4700::1]:443"], "2606:4700::/64"),
            (&["2606:4700::1, 2001:db8::5"], "2606:4700::/64"),
            // All of them are ours: the outermost asks.
            (&["10.2.2.2, 10.3.3.3"], "10.2.2.2"),
            // Beyond what cannot be read, nothing is believed.
            (&["198.51.100.7, nonsense, 10.3.3.3"], "10.3.3.3"),
            (&["198.51.100.7, "], "10.0.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(behind("10.0.0.1", forwarded, &trusted), client, "{forwarded:?}");
        }
    }

    #[test]
    fn s7_all_addresses_of_one_64_bit_network_are_one_client() {
        assert_eq!(behind("2606:4700:1:2::1", &[], &[]), behind("2606:4700:1:2:ffff::9", &[], &[]));
        assert_ne!(behind("2606:4700:1:2::1", &[], &[]), behind("2606:4700:1:3::1", &[], &[]));
        assert_eq!(behind("::ffff:192.0.2.1", &[], &[]), "192.0.2.1");
    }
}
