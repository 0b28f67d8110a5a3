//! Which addresses are never dialled unless they were named.
//!
//! A URL comes from configuration, but its name is answered by whoever runs the name server: a name that suddenly
//! points to the machine itself or to a cloud's metadata must not be followed there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::settings::Allow;

/// Why an address is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    Loopback,
    Private,
    LinkLocal,
    Metadata,
    Unspecified,
    Multicast,
    Reserved,
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Range::Loopback => "loopback",
            Range::Private => "private",
            Range::LinkLocal => "link-local",
            Range::Metadata => "metadata",
            Range::Unspecified => "unspecified",
            Range::Multicast => "multicast",
            Range::Reserved => "reserved",
        })
    }
}

/// None: a public address.
pub(crate) fn range_of(address: IpAddr) -> Option<Range> {
    match address {
        IpAddr::V4(address) => range_of_v4(address),
        IpAddr::V6(address) => range_of_v6(address),
    }
}

/// Where clouds answer with credentials, link-local or not.
const METADATA_V4: &[Ipv4Addr] = &[
    Ipv4Addr::new(169, 254, 169, 254), // most clouds
    Ipv4Addr::new(169, 254, 169, 253), // its name server
    Ipv4Addr::new(169, 254, 170, 2),   // container credentials
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16), // a public address by number only
    Ipv4Addr::new(192, 0, 0, 192),
];

const METADATA_V6: &[Ipv6Addr] = &[
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

fn range_of_v4(address: Ipv4Addr) -> Option<Range> {
    if METADATA_V4.contains(&address) {
        return Some(Range::Metadata);
    }
    match address.octets() {
        [0, 0, 0, 0] => Some(Range::Unspecified),
        [0, ..] => Some(Range::Reserved),
        [127, ..] => Some(Range::Loopback),
        [169, 254, ..] => Some(Range::LinkLocal),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Range::Private),
        // Between carriers and their customers: not ours to reach by accident either.
        [100, 64..=127, ..] => Some(Range::Private),
        [198, 18..=19, ..] => Some(Range::Private),
        [192, 0, 0, _] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(Range::Reserved),
        [224..=239, ..] => Some(Range::Multicast),
        [240..=255, ..] => Some(Range::Reserved),
        _ => None,
    }
}

fn range_of_v6(address: Ipv6Addr) -> Option<Range> {
    if METADATA_V6.contains(&address) {
        return Some(Range::Metadata);
    }
    if address.is_unspecified() {
        return Some(Range::Unspecified);
    }
    if address.is_loopback() {
        return Some(Range::Loopback);
    }
    let [a, b, c, d, e, f, g, h] = address.segments();
    let low = |high: u16, low: u16| {
        let [[w, x], [y, z]] = [high.to_be_bytes(), low.to_be_bytes()];
        range_of_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // A v4 address in other clothes ends at the v4 address: mapped, compatible, translated, 6to4.
        (0, 0) if (c, d, e) == (0, 0, 0) && (f == 0xffff || f == 0) => low(g, h),
        (0, 0) if (c, d, e, f) == (0, 0, 0xffff, 0) => low(g, h),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => low(g, h),
        (0x2002, _) => low(b, c),
        (0x64, 0xff9b) => Some(Range::Private),
        // Teredo wraps the address of a relay that we do not know.
        (0x2001, 0) => Some(Range::Reserved),
        (0x2001, 0xdb8) | (0x100, 0) => Some(Range::Reserved),
        (0xfe80..=0xfebf, _) => Some(Range::LinkLocal),
        (0xfec0..=0xfeff, _) => Some(Range::Private),
        (0xfc00..=0xfdff, _) => Some(Range::Private),
        (0xff00..=0xffff, _) => Some(Range::Multicast),
        _ => None,
    }
}

/// What the operator allowed although it is not public.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    allow: Vec<Allow>,
}

impl Filter {
    pub(crate) fn new(allow: Vec<Allow>) -> Filter {
        Filter { allow }
    }

    /// The range that keeps us from dialling `address` for `host`.
    ///
    /// A name in the list opens what a service of one's own may have. Metadata, link-local and the like need
    /// their own number in the list: a name server that was taken over must not reach them by an allowed name.
    pub(crate) fn refuses(&self, host: &str, address: IpAddr) -> Option<Range> {
        let range = range_of(address)?;
        let named = self.allow.iter().any(|allow| match allow {
            Allow::Network(network) => network.contains(&unmapped(address)),
            Allow::Host(name) => {
                matches!(range, Range::Loopback | Range::Private) && name.eq_ignore_ascii_case(host)
            }
        });
        (!named).then_some(range)
    }
}

fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}
