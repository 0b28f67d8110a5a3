//! The four bands, and how much of the one pool each may fill.

use std::fmt;

/// One of the four priorities in the queue. Listed from the most urgent to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    Urgent,
    High,
    Normal,
    Low,
}

impl Band {
    pub const ALL: [Self; 4] = [Self::Urgent, Self::High, Self::Normal, Self::Low];

    /// Position in [`Band::ALL`] and in every array of four.
    pub fn index(self) -> usize {
        self as usize
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    /// Share of the pool, in thousandths, from which on this band is refused. The steps
    /// leave room for what is more urgent: the bands share one pool and have no other cap.
    fn refused_from(self) -> usize {
        match self {
            Self::Urgent => 1000,
            Self::High => 975,
            Self::Normal => 900,
            Self::Low => 800,
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many places there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Places of all bands together.
    pub total: usize,
    /// A further cap per band, by [`Band::index`].
    pub bands: [Option<usize>; 4],
}

impl Default for Limits {
    fn default() -> Self {
        Self { total: 2000, bands: [None; 4] }
    }
}

/// Limits that contradict themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitsError {
    /// The queue would refuse everything.
    NoPlaces,
    /// The caps of the bands promise more places than there are.
    SumOverTotal { sum: usize, total: usize },
}

impl fmt::Display for LimitsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlaces => write!(f, "the queue needs a total of at least 1 place"),
            Self::SumOverTotal { sum, total } => write!(
                f,
                "the bands together have {sum} places, but the queue only {total}: \
                 lower queue.bands or raise queue.total"
            ),
        }
    }
}

impl std::error::Error for LimitsError {}

impl Limits {
    pub(crate) fn check(self) -> Result<Self, LimitsError> {
        if self.total == 0 {
            return Err(LimitsError::NoPlaces);
        }
        let sum = self.bands.iter().flatten().fold(0usize, |sum, cap| sum.saturating_add(*cap));
        if sum > self.total {
            return Err(LimitsError::SumOverTotal { sum, total: self.total });
        }
        Ok(self)
    }

    /// Places in use, of all bands, from which on `band` is refused.
    pub fn refused_from(&self, band: Band) -> usize {
        // Rounded up: a pool of one place still takes an item of every band.
        self.total.saturating_mul(band.refused_from()).div_ceil(1000)
    }

    /// How many places must come free before `band` gets one; 0 when it may have one now.
    pub(crate) fn short(&self, band: Band, used: &[usize; 4]) -> usize {
        let total: usize = used.iter().sum();
        let of_total = (total + 1).saturating_sub(self.refused_from(band));
        let of_band = self.bands[band.index()].map_or(0, |cap| (used[band.index()] + 1).saturating_sub(cap));
        of_total.max(of_band)
    }
}
