use proptest::prelude::*;

use super::*;

const T0: i64 = 1_800_000_000_000;

#[derive(Debug, Clone)]
enum Step {
    Answered(u64),
    Missed,
    Stood(Standing, i64),
    Quiet(i64),
    /// The wall clock was set.
    Jump(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let standing = prop::sample::select(vec![Standing::Ready, Standing::Down, Standing::Off]);
    let step = prop_oneof![
        (1..5_000_000u64).prop_map(Step::Answered),
        Just(Step::Missed),
        (standing, 0..40_000i64).prop_map(|(s, ms)| Step::Stood(s, ms)),
        (0..20_000i64).prop_map(Step::Quiet),
        (-40_000..40_000i64).prop_map(Step::Jump),
    ];
    prop::collection::vec(step, 0..60)
}

fn sum(buckets: impl IntoIterator<Item = Bucket>) -> Bucket {
    let mut total = Bucket::new(0);
    buckets.into_iter().for_each(|bucket| total.merge(&bucket));
    total
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_tier_sums_to_the_samples_and_the_coarse_are_the_fine_rolled_up(steps in steps()) {
        let day = Duration::from_secs(86_400);
        let mut tiers = Tiers::new(Keep { seconds: day, tens: day, minutes: day });
        let (mut now, mut told) = (T0, Bucket::new(0));
        for step in steps {
            match step {
                Step::Answered(us) => {
                    let took = Duration::from_micros(us);
                    tiers.answered(now, took);
                    told.answered(took);
                }
                Step::Missed => (tiers.missed(now), told.missed()).1,
                Step::Stood(standing, ms) => {
                    tiers.stood(standing, now, now + ms);
                    told.stood(standing, ms as u32);
                    now += ms;
                }
                Step::Quiet(ms) | Step::Jump(ms) => now += ms,
            }
        }
        for tier in &tiers.0 {
            prop_assert_eq!(&sum(tier.iter()), &told);
            let ats: Vec<i64> = tier.iter().map(|b| b.at).collect();
            prop_assert!(ats.is_sorted_by(|a, b| a < b), "each bucket once, in order: {:?}", ats);
        }
        for coarse in [1, 2] {
            let width = i64::from(WIDTHS[coarse]);
            for bucket in tiers.0[coarse].iter() {
                let mut fine = sum(tiers.0[0].iter().filter(|b| b.at.div_euclid(width) * width == bucket.at));
                fine.at = bucket.at;
                prop_assert_eq!(fine, bucket);
            }
        }
    }

    #[test]
    fn what_is_forgotten_is_old(ages in prop::collection::vec(0..4_000i64, 1..80)) {
        let mut tiers = Tiers::new(Keep::default());
        let mut ages = ages;
        ages.sort_unstable_by(|a, b| b.cmp(a));
        ages.iter().for_each(|age| tiers.missed(T0 - age * 1_000));
        tiers.forget(T0);
        let left = |n: usize| tiers.0[n].iter().map(|b| b.failed as usize).sum::<usize>();
        // The open bucket stays, and the one that the limit cuts.
        let newest = *ages.last().unwrap();
        let kept = |most: i64, width: i64| {
            let same = |age: i64| (age + width - 1) / width == (newest + width - 1) / width;
            ages.iter().filter(|age| **age <= most || same(**age)).count()
        };
        prop_assert_eq!(left(0), kept(301, 1));
        prop_assert_eq!(left(1), kept(3_610, 10));
        prop_assert_eq!(left(2), ages.len());
    }
}

#[test]
fn gaps_are_gaps() {
    let mut tiers = Tiers::new(Keep::default());
    tiers.stood(Standing::Ready, T0, T0 + 2_000);
    tiers.stood(Standing::Ready, T0 + 8_000, T0 + 9_000);
    let (width, buckets) = tiers.window(T0 + 10_000, Duration::from_secs(60));
    assert_eq!(width, 1);
    let at: Vec<i64> = buckets.iter().map(|b| b.at - T0 / 1_000).collect();
    assert_eq!(at, [0, 1, 8]);
    assert_eq!(tiers.window(T0 + 10_000, Duration::from_secs(900)).0, 10);
    assert_eq!(tiers.window(T0 + 10_000, Duration::from_secs(7_200)).0, 60);
}

#[test]
fn a_day_of_a_steady_backend_stays_small() {
    let mut tiers = Tiers::new(Keep::default());
    assert_eq!(tiers.size(), 0, "an idle backend takes nothing");
    let mut seed = 7u64;
    for n in 0..86_400 / 5 {
        let now = T0 + n * 5_000;
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tiers.stood(Standing::Ready, now, now + 5_000);
        tiers.answered(now + 4_999, Duration::from_micros(900 + (seed >> 33) % 3_000));
        tiers.forget(now);
    }
    let [fine, tens, minutes] = [0, 1, 2].map(|n| tiers.0[n].closed.size());
    assert!(fine + tens < 12 * 1024, "the fine tiers take {fine} and {tens} bytes");
    assert!(minutes < 80 * 1024, "the minutes take {minutes} bytes");
}
