//! Row S4: how many results may be on their way.

use nephoran_worker::{Places, places};
use proptest::prelude::*;

#[test]
fn s4_the_size_is_four_batches_or_four_a_worker_between_50_and_1000() {
    let plain = |places| Places { places, capped_from: None };
    assert_eq!(places(16, 16), plain(64));
    assert_eq!(places(1, 1), plain(50));
    assert_eq!(places(100, 8), plain(400));
    assert_eq!(places(8, 250), plain(1000));
    assert_eq!(places(8, 251), Places { places: 1000, capped_from: Some(1004) });
}

proptest! {
    #[test]
    fn s4_no_size_is_out_of_bounds_and_a_capped_one_is_told(batch: usize, workers: usize) {
        let size = places(batch, workers);
        prop_assert!((50..=1000).contains(&size.places));
        let wanted = batch.saturating_mul(4).max(workers.saturating_mul(4));
        prop_assert_eq!(size.capped_from.is_some(), wanted > 1000);
        if (50..=1000).contains(&wanted) {
            prop_assert_eq!(size.places, wanted);
        }
    }
}
