//! Input that means harm, or was never meant for us.
