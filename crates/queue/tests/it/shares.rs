//! Claims are shared 8:4:2:1, and the longest wait is finite and known.

use nephoran_queue::{Band, Lane, Limits, Queue};
use proptest::prelude::*;

const SHARES: [usize; 4] = [8, 4, 2, 1];

fn queue() -> Queue<usize> {
    Queue::new(Limits::default()).unwrap()
}

/// Puts an item where it can be claimed from `lane`. Nothing else may wait in the direct lane when
/// that is not the one.
fn put(queue: &Queue<usize>, key: usize, band: Band, lane: Lane) {
    queue.resume(key, band);
    if lane != Lane::Direct {
        queue.try_claim().unwrap().hand_over(lane);
    }
}

/// Publishes so that `bands` never run empty in a lane, and counts who is claimed.
fn claimed_from(lane: Lane, bands: &[Band], claims: usize) -> [usize; 4] {
    let queue = queue();
    for band in bands {
        put(&queue, 0, *band, lane);
    }
    let mut counts = [0; 4];
    for _ in 0..claims {
        let delivery = queue.try_claim_from(lane).unwrap();
        counts[delivery.band().index()] += 1;
        put(&queue, 0, delivery.band(), lane);
        delivery.ack();
    }
    counts
}

fn claimed(bands: &[Band], claims: usize) -> [usize; 4] {
    claimed_from(Lane::Direct, bands, claims)
}

#[test]
fn s5_when_all_bands_have_something_claims_are_shared_8_4_2_1() {
    for lane in Lane::ALL {
        assert_eq!(claimed_from(lane, &Band::ALL, 1500), [800, 400, 200, 100], "{lane}");
    }
}

#[test]
fn bands_that_are_empty_leave_their_share_to_the_others_in_proportion() {
    for mask in 1usize..16 {
        let bands: Vec<Band> = Band::ALL.into_iter().filter(|band| mask & (1 << band.index()) != 0).collect();
        let sum: usize = bands.iter().map(|band| SHARES[band.index()]).sum();
        let counts = claimed(&bands, sum * 100);
        for band in Band::ALL {
            let share = if bands.contains(&band) { SHARES[band.index()] * 100 } else { 0 };
            assert_eq!(counts[band.index()], share, "{band} among {bands:?}");
        }
    }
}

#[test]
fn a_share_that_was_not_used_is_not_saved_up() {
    let queue = queue();
    for _ in 0..1000 {
        queue.resume(0, Band::Low);
        queue.try_claim().unwrap().ack();
    }
    for _ in 0..100 {
        queue.resume(0, Band::Low);
        queue.resume(0, Band::Urgent);
    }
    let bands: Vec<Band> = (0..9)
        .map(|_| {
            let delivery = queue.try_claim().unwrap();
            let band = delivery.band();
            delivery.ack();
            band
        })
        .collect();
    assert_eq!(bands.iter().filter(|band| **band == Band::Low).count(), 1, "{bands:?}");
}

#[test]
fn the_position_told_is_the_most_claims_that_can_come_before() {
    let queue = queue();
    for _ in 0..3 {
        queue.resume(0, Band::Normal);
    }
    assert_eq!(queue.position(Band::Normal), 3);
    // It waits behind one whole round at most: 8 of the urgent ones.
    for _ in 0..20 {
        queue.resume(0, Band::Urgent);
    }
    assert_eq!(queue.position(Band::Low), 8 + 2);
    assert_eq!(queue.position(Band::Urgent), 20 + 3);
}

proptest! {
    /// An item with `n` ahead of it in its band is claimed after at most 14 (n + 1) claims of other
    /// bands, however much comes in there: fewer than the 15 each that are promised.
    #[test]
    fn s5_the_longest_wait_is_finite_and_stated(
        before in proptest::collection::vec(0usize..4, 0..60),
        warm_up in 0usize..30,
        band in 0usize..4,
        lane in proptest::sample::select(&Lane::ALL[..]),
        endless in proptest::collection::vec(0usize..4, 1..8),
    ) {
        let queue = queue();
        for band in &before {
            put(&queue, 0, Band::ALL[*band], lane);
        }
        for _ in 0..warm_up {
            let Some(delivery) = queue.try_claim_from(lane) else { break };
            delivery.ack();
        }
        let band = Band::ALL[band];
        let ahead = queue.depths()[band.index()];
        put(&queue, 1, band, lane);
        let (mut others, mut all) = (0, 0);
        let mut comes_in = endless.iter().cycle();
        loop {
            // Other bands never run empty.
            for _ in 0..16 {
                let other = Band::ALL[*comes_in.next().unwrap()];
                if other != band {
                    put(&queue, 0, other, lane);
                }
            }
            let delivery = queue.try_claim_from(lane).unwrap();
            let (key, claimed) = (*delivery.key(), delivery.band());
            delivery.ack();
            if key == 1 {
                break;
            }
            all += 1;
            if claimed != band {
                others += 1;
            }
            prop_assert!(others <= 14 * (ahead + 1), "{} waits for {} others, {} ahead", band, others, ahead);
        }
        prop_assert_eq!(all - others, ahead);
    }

    #[test]
    fn nothing_comes_before_beyond_the_position_told_when_nothing_more_comes_in(
        before in proptest::collection::vec(0usize..4, 0..80),
        warm_up in 0usize..30,
        band in 0usize..4,
    ) {
        let queue = queue();
        for band in &before {
            queue.resume(0, Band::ALL[*band]);
        }
        for _ in 0..warm_up {
            let Some(delivery) = queue.try_claim() else { break };
            delivery.ack();
        }
        let band = Band::ALL[band];
        let told = queue.position(band);
        queue.resume(1, band);
        let mut came = 0;
        loop {
            let delivery = queue.try_claim().unwrap();
            let key = *delivery.key();
            delivery.ack();
            if key == 1 {
                break;
            }
            came += 1;
        }
        prop_assert!(came <= told, "{} came, {} were told", came, told);
    }
}
