//! The network functions that the vocabulary names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
