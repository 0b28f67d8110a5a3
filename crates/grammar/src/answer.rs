//! Reads an author's short answer to a question, for the named missing fields
//! and nothing else.

use nephoran_model::proposal::{BitRate, Function, LinkDirection, Replicas, ScaleDirection, SliceRef};

use crate::frame::Cmp;
use crate::rules::place::Where;

/// What an answer supplies. Each field is used only where a rule would ask for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Supplied {
    pub(crate) target: Option<Thing>,
    pub(crate) place: Option<Where>,
    pub(crate) replicas: Option<Replicas>,
    pub(crate) rate: Option<BitRate>,
    pub(crate) value_text: Option<String>,
    pub(crate) unit: Option<u8>,
    pub(crate) bound: Option<Cmp>,
    pub(crate) link: Option<LinkDirection>,
    pub(crate) scale_direction: Option<ScaleDirection>,
    pub(crate) function: Option<Function>,
    pub(crate) cells: Option<Vec<String>>,
    pub(crate) slice: Option<SliceRef>,
    pub(crate) five_qi: Option<u16>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Thing {
    pub(crate) name: Option<String>,
    pub(crate) function: Option<Function>,
}
