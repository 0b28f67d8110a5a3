//! One intent after another to where it can rest, and the acts of people on the way.

pub mod acts;
