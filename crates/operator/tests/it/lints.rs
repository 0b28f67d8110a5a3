//! Promises of ARCHITECTURE.md that reading the source can keep.
