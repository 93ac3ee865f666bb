//! The circuit as a table of histories, and what holds for all of them.

use super::*;
use proptest::prelude::*;

/// Plays a history: a digit is so many seconds, `g` and `b` a call that went well or badly, `u` one whose
/// caller went away, `r` and `R` a retry that failed or went well. What it says: `|` for a call refused,
/// `o` and `c` where the circuit opened and closed.
fn played(history: &str) -> String {
    let start = Instant::now();
    let (mut circuit, mut now) = (Circuit::new(CircuitRules::default(), start), start);
    let mut said = String::new();
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
            said.push('|');
            continue;
        };
        let report = match event {
            'g' | 'R' => Report::Good,
            'b' | 'r' => Report::Bad,
            _ => Report::Unknown,
        };
        if circuit.report(ticket, report, now, 0) {
            said.push(if circuit.is_closed() { 'c' } else { 'o' });
        }
    }
    said
}

#[test]
fn the_table() {
    for (history, said) in [
        ("", ""),
        ("bbbb", ""),
        ("bbbbb", "o"),
        ("bbbbgbbbb", ""),
        ("bbbbubbbb", "o|||"),
        ("bbbbbggg", "o|||"),
        // After the pause one call, and the next pause is longer.
        ("bbbbb1b1bb", "o||"),
        ("bbbbb1b2g", "oc"),
        ("bbbbb1gbbbb", "oc"),
        ("bbbbb1gbbbbb", "oco"),
        // Who goes away leaves its turn to the next.
        ("bbbbb1uug", "oc"),
        // Never longer than 2 s.
        ("bbbbb1b2b2b2b2b2g", "oc"),
        // More than half of twenty within ten seconds.
        ("ggggggggggbbbbgbbbb", ""),
        ("ggggggggbbbbgbbbbgbbbb", "o|"),
        ("ggggggggbbbbgbbbb91gbbbb", ""),
        // Retries close it and lengthen nothing.
        ("bbbbbrrrr1g", "oc"),
        ("bbbbbRg", "oc"),
        ("rrrrr", "o"),
    ] {
        assert_eq!(played(history), said, "{history}");
    }
}

#[test]
fn what_began_before_it_opened_says_nothing_about_after() {
    let now = Instant::now();
    let mut circuit = Circuit::new(CircuitRules::default(), now);
    let slow: Vec<_> = (0..9).filter_map(|_| circuit.admit(now)).collect();
    let mut slow = slow.into_iter();
    for ticket in slow.by_ref().take(5) {
        circuit.report(ticket, Report::Bad, now, 0);
    }
    assert!(!circuit.is_closed());
    for ticket in slow {
        assert!(!circuit.report(ticket, Report::Good, now, 0));
    }
    assert!(!circuit.is_closed(), "an old success does not close it");
}

proptest! {
    /// A store that is dead gets at most one call in each first pause, and five before.
    #[test]
    fn a_dead_store_is_left_in_peace(steps in prop::collection::vec((0_u64..400, any::<u32>()), 1..500)) {
        let start = Instant::now();
        let (mut circuit, mut now, mut calls) = (Circuit::new(CircuitRules::default(), start), start, 0);
        for (millis, jitter) in steps {
            now += Duration::from_millis(millis);
            if let Some(ticket) = circuit.admit(now) {
                calls += 1;
                circuit.report(ticket, Report::Bad, now, jitter);
            }
        }
        prop_assert!(calls <= 5 + (now - start).as_secs());
    }

    /// Whatever has happened, two seconds after the store is back the first call closes the circuit.
    #[test]
    fn a_recovery_is_noticed(
        steps in prop::collection::vec((0_u64..4_000, 0_usize..3, any::<u32>()), 0..200),
    ) {
        let start = Instant::now();
        let (mut circuit, mut now) = (Circuit::new(CircuitRules::default(), start), start);
        for (millis, report, jitter) in steps {
            now += Duration::from_millis(millis);
            let report = [Report::Good, Report::Bad, Report::Unknown][report];
            if let Some(ticket) = circuit.admit(now) {
                circuit.report(ticket, report, now, jitter);
            }
        }
        now += Duration::from_secs(2);
        let ticket = circuit.admit(now).expect("a call passes");
        circuit.report(ticket, Report::Good, now, 0);
        prop_assert!(circuit.is_closed());
    }
}
