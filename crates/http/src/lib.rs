//! The one way out by HTTP: profiles, pools, gates, limits, breakers. It knows no intents.
