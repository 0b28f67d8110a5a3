//! Workers over the queue: started, scaled by what they measure, drained by a deadline. They know no intents.
