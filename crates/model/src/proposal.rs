//! What a translator may say: one request in words becomes one [`Proposal`].
//!
//! A proposal is untrusted data. It can name only the actions below and decides
//! nothing; planning and the guard stand between it and the network. The serde
//! form is the contract's JSON; absent fields are left out when written.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most actions one proposal may hold.
pub const MAX_ACTIONS: usize = 8;

/// Largest replica count that is grammatical; the guard bounds counts further.
pub const MAX_COUNT: u32 = 10_000;

/// Longest request in words, in code points.
pub const MAX_WORDS: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Proposal {
    Actions(Actions),
    Clarify(Clarify),
    Refuse(Refuse),
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// 1..=8 actions in the order they were said.
    pub actions: Vec<Action>,
    /// A clause that only gives a reason, word for word. Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motive: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clarify {
    /// What an answer must supply. A set: sorted, without repeats.
    pub missing: Vec<Missing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    pub reason: RefuseReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Feasibility: plan, never apply.
    Check,
}

/// One of the four bands. Ordered: `Low < Normal < High < Urgent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

impl Priority {
    pub const ALL: [Self; 4] = [Self::Urgent, Self::High, Self::Normal, Self::Low];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

impl FromStr for Priority {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|p| p.as_str() == word).ok_or(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    Action,
    Target,
    Place,
    Replicas,
    Value,
    Unit,
    /// Guaranteed or maximum.
    Bound,
    /// Downlink or uplink, or out or in.
    Direction,
    Function,
    Cells,
    Slice,
    FiveQi,
    Schedule,
    /// Only the operator itself asks for it.
    Confirmation,
}

impl Missing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Target => "target",
            Self::Place => "place",
            Self::Replicas => "replicas",
            Self::Value => "value",
            Self::Unit => "unit",
            Self::Bound => "bound",
            Self::Direction => "direction",
            Self::Function => "function",
            Self::Cells => "cells",
            Self::Slice => "slice",
            Self::FiveQi => "five_qi",
            Self::Schedule => "schedule",
            Self::Confirmation => "confirmation",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefuseReason {
    OutOfScope,
    Unsafe,
    Unsupported,
    Contradiction,
}

impl RefuseReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutOfScope => "out_of_scope",
            Self::Unsafe => "unsafe",
            Self::Unsupported => "unsupported",
            Self::Contradiction => "contradiction",
        }
    }
}

/// One thing to do. In JSON the key `action` names the variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Scale(Scale),
    Deploy(Deploy),
    Retire(Retire),
    Upgrade(Upgrade),
    SetCapacity(SetCapacity),
    Configure(Configure),
    Slice(Slice),
    Steer(Steer),
    Qos(Qos),
    Ensure(Ensure),
    Rollback(Rollback),
    Report(Report),
}

impl Action {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scale(_) => "scale",
            Self::Deploy(_) => "deploy",
            Self::Retire(_) => "retire",
            Self::Upgrade(_) => "upgrade",
            Self::SetCapacity(_) => "set_capacity",
            Self::Configure(_) => "configure",
            Self::Slice(_) => "slice",
            Self::Steer(_) => "steer",
            Self::Qos(_) => "qos",
            Self::Ensure(_) => "ensure",
            Self::Rollback(_) => "rollback",
            Self::Report(_) => "report",
        }
    }
}

/// A workload as it was named. At least `name` or `function` is there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The word as said (lower-cased), when it is a DNS label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the vocabulary folds it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// A bare "in X": a namespace or a cluster, resolved at planning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// The network functions of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    Amf,
    Smf,
    Upf,
    Nrf,
    Ausf,
    Udm,
    Udr,
    Pcf,
    Nssf,
    Nef,
    Af,
    N3iwf,
    Chf,
    Bsf,
    Scp,
    Sepp,
    Nwdaf,
    ODu,
    OCuCp,
    OCuUp,
    OCu,
    ORu,
    NearRtRic,
    NonRtRic,
    Xapp,
    Rapp,
    Smo,
    E2Simulator,
}

impl Function {
    pub const ALL: [Self; 28] = [
        Self::Amf,
        Self::Smf,
        Self::Upf,
        Self::Nrf,
        Self::Ausf,
        Self::Udm,
        Self::Udr,
        Self::Pcf,
        Self::Nssf,
        Self::Nef,
        Self::Af,
        Self::N3iwf,
        Self::Chf,
        Self::Bsf,
        Self::Scp,
        Self::Sepp,
        Self::Nwdaf,
        Self::ODu,
        Self::OCuCp,
        Self::OCuUp,
        Self::OCu,
        Self::ORu,
        Self::NearRtRic,
        Self::NonRtRic,
        Self::Xapp,
        Self::Rapp,
        Self::Smo,
        Self::E2Simulator,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amf => "amf",
            Self::Smf => "smf",
            Self::Upf => "upf",
            Self::Nrf => "nrf",
            Self::Ausf => "ausf",
            Self::Udm => "udm",
            Self::Udr => "udr",
            Self::Pcf => "pcf",
            Self::Nssf => "nssf",
            Self::Nef => "nef",
            Self::Af => "af",
            Self::N3iwf => "n3iwf",
            Self::Chf => "chf",
            Self::Bsf => "bsf",
            Self::Scp => "scp",
            Self::Sepp => "sepp",
            Self::Nwdaf => "nwdaf",
            Self::ODu => "o-du",
            Self::OCuCp => "o-cu-cp",
            Self::OCuUp => "o-cu-up",
            Self::OCu => "o-cu",
            Self::ORu => "o-ru",
            Self::NearRtRic => "near-rt-ric",
            Self::NonRtRic => "non-rt-ric",
            Self::Xapp => "xapp",
            Self::Rapp => "rapp",
            Self::Smo => "smo",
            Self::E2Simulator => "e2-simulator",
        }
    }
}

impl FromStr for Function {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|f| f.as_str() == word).ok_or(())
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A decimal number that is written as an integer when it is one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Decimal(pub f64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // 2^53: beyond it an f64 no longer holds every integer.
        if self.0.fract() == 0.0 && self.0.abs() < 9_007_199_254_740_992.0 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    pub target: Target,
    pub replicas: Replicas,
}

/// Exactly one of `to`, `by`, `factor` is there in a valid proposal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replicas {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Decimal>,
    /// A precondition: planning refuses when the world differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Said beside `to`; planning refuses when the world contradicts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<ScaleDirection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleDirection {
    Out,
    In,
    /// Only in an `ensure` that scales by itself.
    Both,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<Function>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blueprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    pub target: Target,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetCapacity {
    pub target: Target,
    pub capacity: Capacity,
}

/// Counts are single things: 64k sessions is 64000.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_downlink: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uplink: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sessions: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_subscribers: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitRate {
    pub value: Decimal,
    pub unit: BitRateUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BitRateUnit {
    #[serde(rename = "kbps")]
    Kbps,
    Mbps,
    Gbps,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    pub value: Decimal,
    pub unit: TimeUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    Ms,
    S,
    Min,
    H,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configure {
    pub target: Target,
    /// Values are strings as said.
    pub settings: BTreeMap<String, String>,
}

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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensure {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cells: Option<Vec<String>>,
    /// The state to keep; a trigger is stored as its opposite.
    pub condition: Condition,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EnsureBy>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub metric: Metric,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<LinkDirection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistic: Option<Statistic>,
    pub is: Comparison,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// With `to` in place of `value` when `is` is `within`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Decimal>,
    pub unit: MetricUnit,
    #[serde(rename = "for", default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Time>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    PrbUsage,
    Cpu,
    Memory,
    Latency,
    Throughput,
    Sessions,
    Ues,
    PacketLoss,
    Availability,
    Energy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    Mean,
    Max,
    P95,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    LessThan,
    AtMost,
    GreaterThan,
    AtLeast,
    Within,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MetricUnit {
    #[serde(rename = "%")]
    Percent,
    #[serde(rename = "count")]
    Count,
    #[serde(rename = "ms")]
    Ms,
    #[serde(rename = "s")]
    S,
    #[serde(rename = "min")]
    Min,
    #[serde(rename = "h")]
    H,
    #[serde(rename = "kbps")]
    Kbps,
    Mbps,
    Gbps,
    W,
    #[serde(rename = "kW")]
    KW,
    Wh,
    #[serde(rename = "kWh")]
    KWh,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureBy {
    pub scale: EnsureScale,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureScale {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<ScaleDirection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
}

impl Proposal {
    /// Asks for `missing`, as a sorted set.
    pub fn ask(missing: impl IntoIterator<Item = Missing>) -> Self {
        let mut missing: Vec<Missing> = missing.into_iter().collect();
        missing.sort_unstable();
        missing.dedup();
        Self::Clarify(Clarify { missing, question: None })
    }

    pub fn refuse(reason: RefuseReason) -> Self {
        Self::Refuse(Refuse { reason, explanation: None })
    }
}

/// Whether `word` is a DNS label (RFC 1123 clause 2.1): 1..=63 of `[a-z0-9-]`,
/// no hyphen at either end.
pub fn is_dns_label(word: &str) -> bool {
    let bytes = word.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 63
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && bytes[0] != b'-'
        && bytes[bytes.len() - 1] != b'-'
}
