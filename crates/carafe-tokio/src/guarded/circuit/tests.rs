//! A table of call histories, and properties of arbitrary histories.

use super::*;
use proptest::prelude::*;

/// Runs a history of events: a digit advances the clock by that many seconds, `g` and `b` are calls
/// that succeed and fail, `u` is a call that its caller drops, `R` and `r` are retries that succeed
/// and fail. Returns `|` for each rejected call, and `o` and `c` where the circuit opens and
/// closes.
fn played(history: &str) -> String {
    let start = Instant::now();
    let (mut circuit, mut now) = (Circuit::new(CircuitRules::default(), start), start);
    let mut events = String::new();
    for event in history.chars() {
        if let Some(seconds) = event.to_digit(10) {
            now += Duration::from_secs(seconds.into());
            continue;
        }
        let ticket = match event {
            'r' | 'R' => Some(circuit.admit_retry()),
            _ => circuit.admit(now),
        };
        let Some(ticket) = ticket else {
            events.push('|');
            continue;
        };
        let outcome = match event {
            'g' | 'R' => Outcome::Success,
            'b' | 'r' => Outcome::Failure,
            _ => Outcome::Unknown,
        };
        if circuit.report(ticket, outcome, now, || 0) {
            events.push(if circuit.is_closed() { 'c' } else { 'o' });
        }
    }
    events
}

#[test]
fn each_history_opens_and_closes_the_circuit_as_listed() {
    for (history, events) in [
        ("", ""),
        ("bbbb", ""),
        ("bbbbb", "o"),
        ("bbbbgbbbb", ""),
        ("bbbbubbbb", "o|||"),
        ("bbbbbggg", "o|||"),
        // One probe after the delay, and the next delay is longer.
        ("bbbbb1b1bb", "o||"),
        ("bbbbb1b2g", "oc"),
        ("bbbbb1gbbbb", "oc"),
        ("bbbbb1gbbbbb", "oco"),
        // A dropped probe is immediately followed by another.
        ("bbbbb1uug", "oc"),
        // No delay exceeds 2 s.
        ("bbbbb1b2b2b2b2b2g", "oc"),
        // More than half of twenty within ten seconds.
        ("ggggggggggbbbbgbbbb", ""),
        ("ggggggggbbbbgbbbbgbbbb", "o|"),
        ("ggggggggbbbbgbbbb91gbbbb", ""),
        // Retries close the circuit and do not lengthen its delays.
        ("bbbbbrrrr1g", "oc"),
        ("bbbbbRg", "oc"),
        ("rrrrr", "o"),
    ] {
        assert_eq!(played(history), events, "{history}");
    }
}

#[test]
fn the_outcome_of_a_call_admitted_before_the_circuit_opened_is_ignored() {
    let now = Instant::now();
    let mut circuit = Circuit::new(CircuitRules::default(), now);
    let slow: Vec<_> = (0..9).filter_map(|_| circuit.admit(now)).collect();
    let mut slow = slow.into_iter();
    for ticket in slow.by_ref().take(5) {
        circuit.report(ticket, Outcome::Failure, now, || 0);
    }
    assert!(!circuit.is_closed());
    for ticket in slow {
        assert!(!circuit.report(ticket, Outcome::Success, now, || 0));
    }
    assert!(
        !circuit.is_closed(),
        "an old success does not close the circuit"
    );
}

proptest! {
    /// A failing store gets five calls, then at most one per second.
    #[test]
    fn a_failing_store_gets_at_most_one_call_per_second(steps in prop::collection::vec((0_u64..400, any::<u32>()), 1..500)) {
        let start = Instant::now();
        let (mut circuit, mut now, mut calls) = (Circuit::new(CircuitRules::default(), start), start, 0);
        for (millis, jitter) in steps {
            now += Duration::from_millis(millis);
            if let Some(ticket) = circuit.admit(now) {
                calls += 1;
                circuit.report(ticket, Outcome::Failure, now, || jitter);
            }
        }
        prop_assert!(calls <= 5 + (now - start).as_secs());
    }

    /// After any history, the first call two seconds after the recovery closes the circuit.
    #[test]
    fn a_recovery_is_noticed_within_two_seconds(
        steps in prop::collection::vec((0_u64..4_000, 0_usize..3, any::<u32>()), 0..200),
    ) {
        let start = Instant::now();
        let (mut circuit, mut now) = (Circuit::new(CircuitRules::default(), start), start);
        for (millis, outcome, jitter) in steps {
            now += Duration::from_millis(millis);
            let outcome = [Outcome::Success, Outcome::Failure, Outcome::Unknown][outcome];
            if let Some(ticket) = circuit.admit(now) {
                circuit.report(ticket, outcome, now, || jitter);
            }
        }
        now += Duration::from_secs(2);
        let ticket = circuit.admit(now).expect("a probe is due");
        circuit.report(ticket, Outcome::Success, now, || 0);
        prop_assert!(circuit.is_closed());
    }
}
