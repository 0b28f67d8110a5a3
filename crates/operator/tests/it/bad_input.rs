//! Configurations and command lines that are wrong: each says what to do.
