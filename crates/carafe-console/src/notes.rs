//! Messages for the next page of an operator, in memory. With several processes, a message is shown
//! only if the same process serves the next page.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::Operator;

/// Maximum length of a message, in characters.
const LONGEST: usize = 200;
/// Maximum number of messages per operator.
const MOST: usize = 8;
/// Maximum number of operators with messages.
const MOST_OPERATORS: usize = 1_000;

/// The messages of each operator.
#[derive(Default)]
pub(crate) struct Notes {
    // A plain lock, never held across an await.
    waiting: Mutex<HashMap<String, Vec<String>>>,
}

impl Notes {
    /// Adds a message. A very long message is truncated.
    pub(crate) fn add(&self, operator: &Operator, text: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let binding = operator.binding();
        if waiting.len() >= MOST_OPERATORS && !waiting.contains_key(&binding) {
            // Drops messages that no operator has fetched.
            waiting.clear();
        }
        let notes = waiting.entry(binding).or_default();
        if notes.len() < MOST {
            notes.push(text.chars().take(LONGEST).collect());
        }
    }

    /// Removes and returns the messages.
    pub(crate) fn take(&self, operator: &Operator) -> Vec<String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&operator.binding()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_once_by_its_operator() {
        let (notes, ada) = (Notes::default(), Operator::new("ada").with_session("1"));
        notes.add(&ada, &"x".repeat(1_000));
        assert!(
            notes
                .take(&Operator::new("ada").with_session("2"))
                .is_empty()
        );
        assert_eq!(notes.take(&ada), ["x".repeat(LONGEST)]);
        assert!(notes.take(&ada).is_empty());
    }

    #[test]
    fn the_messages_are_bounded() {
        let notes = Notes::default();
        for n in 0..=MOST_OPERATORS {
            let operator = Operator::new(n.to_string());
            (0..=MOST).for_each(|_| notes.add(&operator, "done"));
        }
        assert!(notes.waiting.lock().unwrap().len() <= MOST_OPERATORS);
        let last = Operator::new(MOST_OPERATORS.to_string());
        assert_eq!(notes.take(&last).len(), MOST);
    }
}
