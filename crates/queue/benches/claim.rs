//! What one reserve + publish + claim + ack costs: `cargo bench -p nephoran-queue`.

use std::time::Instant;

use nephoran_queue::{Band, Limits, Queue};

fn main() {
    let queue: Queue<u64> = Queue::new(Limits::default()).expect("the default limits are valid");
    // As full as it is on a busy day, with all bands in use.
    for key in 0..1000 {
        queue.resume(key, Band::ALL[key as usize % 4]);
    }
    const ITEMS: u64 = 1000;
    let mut publishing = Vec::new();
    let mut claiming = Vec::new();
    for round in 0..11 {
        let started = Instant::now();
        for key in 0..ITEMS {
            let band = Band::ALL[(key + round) as usize % 4];
            if let Ok(place) = queue.reserve(band) {
                place.publish(key, None, None);
            }
        }
        publishing.push(started.elapsed().as_nanos() as u64 / ITEMS);
        let started = Instant::now();
        let mut claimed = 0;
        for _ in 0..ITEMS {
            if let Some(delivery) = queue.try_claim() {
                delivery.ack();
                claimed += 1;
            }
        }
        claiming.push(started.elapsed().as_nanos() as u64 / claimed.max(1));
    }
    publishing.sort_unstable();
    claiming.sort_unstable();
    println!("reserve + publish: {} ns (median of 11 rounds)", publishing[5]);
    println!("claim + ack:       {} ns (median of 11 rounds)", claiming[5]);
}
