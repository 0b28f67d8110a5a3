//! What traffic gets: slices, steering and quality of service.

use serde::{Deserialize, Serialize};

use super::{BitRate, Decimal, Time};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Slice/service type, 0..=255 (3GPP TS 23.003 clause 28.4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sst: Option<u8>,
    /// Slice differentiator: six hex digits, kept as said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plmn: Option<Plmn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectives: Option<SliceObjectives>,
    /// A set; a cell is a string as said, planning resolves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tacs: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    Embb,
    Urllc,
    Miot,
    V2x,
}

/// Leading zeros count: both are strings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plmn {
    pub mcc: String,
    pub mnc: String,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceObjectives {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gua_dl_thpt: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_dl_thpt: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gua_ul_thpt: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ul_thpt: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_dl_thpt_ue: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ul_thpt_ue: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dl_delay: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ul_delay: Option<Time>,
    /// Per cent, 0..=100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ues: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pdu_sessions: Option<u64>,
}

/// A slice as it is referred to by other actions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceRef {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sst: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steer {
    pub preference: Preference,
    pub cells: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<SliceRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue: Option<String>,
}

/// The preferences of the A1 traffic steering policy type (ORAN_TrafficSteeringPreference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    Prefer,
    Avoid,
    Forbid,
    Shall,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qos {
    pub scope: QosScope,
    pub objectives: QosObjectives,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<LinkDirection>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QosScope {
    pub five_qi: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<SliceRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QosObjectives {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gfbr: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfbr: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_level: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_budget: Option<Time>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkDirection {
    Downlink,
    Uplink,
}
