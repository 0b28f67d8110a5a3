//! How often a client may ask: its own share first, then that of all. It reads no clock and waits for nothing.
