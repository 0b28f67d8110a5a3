//! What an approval allows, and what it does not.
