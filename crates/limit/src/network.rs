//! A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNetwork {
    #[error("is no address or network such as 10.0.0.0/8 or 2001:db8::/32")]
    Form,
    #[error("has a prefix longer than its {0} bits")]
    Prefix(u8),
    /// A slip of the pen that would trust more than was meant.
    #[error("has bits set beyond its prefix; the network is {0}")]
    HostBits(Network),
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                masked(address.to_canonical(), self.prefix) == self.address
            }
            _ => false,
        }
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadNetwork::Form)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= bits).ok_or(BadNetwork::Prefix(bits))?
            }
            Some(_) => return Err(BadNetwork::Form),
        };
        // What is written as ::ffff:10.0.0.0/104 names addresses that are seen as 10.0.0.0/8.
        let (address, prefix) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), canonical @ IpAddr::V4(_)) if prefix >= 96 => (canonical, prefix - 96),
            _ => (address, prefix),
        };
        let network = Self { address: masked(address, prefix), prefix };
        if network.address == address { Ok(network) } else { Err(BadNetwork::HostBits(network)) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|bad| panic!("{text} {bad}"))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|bad| panic!("{text} {bad}"))
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6", "::"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1", "2001:db8::1"]),
            ("::/0", ["::1", "2001:db8::1"], ["10.0.0.1", "::ffff:10.0.0.1"]),
            ("2001:db8::/32", ["2001:db8::1", "2001:db8:ffff::"], ["2001:db7::", "2001:db9::"]),
            ("::ffff:10.0.0.0/104", ["10.1.2.3", "::ffff:10.1.2.3"], ["11.0.0.1", "::1"]),
        ] {
            for one in inside {
                assert!(network(text).contains(address(one)), "{one} is in {text}");
            }
            for one in outside {
                assert!(!network(text).contains(address(one)), "{one} is not in {text}");
            }
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_the_reason() {
        for text in ["", "10.0.0.0/", "10.0.0/8", "10.0.0.0/+8", "proxy", "10.0.0.0/8/8", "10.0.0.0/ 8"] {
            assert_eq!(text.parse::<Network>(), Err(BadNetwork::Form), "{text:?}");
        }
        assert_eq!("10.0.0.0/33".parse::<Network>(), Err(BadNetwork::Prefix(32)));
        assert_eq!("::/129".parse::<Network>(), Err(BadNetwork::Prefix(128)));
        assert_eq!("::/999".parse::<Network>(), Err(BadNetwork::Prefix(128)));
        let meant = "10.1.2.3/8".parse::<Network>().map_err(|bad| bad.to_string());
        assert_eq!(meant, Err("has bits set beyond its prefix; the network is 10.0.0.0/8".to_owned()));
    }
}
