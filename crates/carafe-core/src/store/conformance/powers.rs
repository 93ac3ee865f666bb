//! Checks of the optional operations `UserSessions` and `ExpiredSweep`.
//!
//! A store without an optional operation passes its checks.

use super::fixtures::*;
use crate::{
    clock::Timestamp,
    store::{BoxFuture, ErasedStore, Record, Selection, StoreKey},
};

/// The list of a user's sessions contains all live ones and no others, newest ID first.
pub async fn users_see_their_sessions<S: ErasedStore + ?Sized>(store: &S) {
    let Some(users) = store.powers().users() else {
        return;
    };
    let (user, other) = (unique("user"), unique("other"));
    let mut handles = Vec::new();
    for age in 0..3 {
        handles.push(
            filed_for(store, &user, NOW.saturating_add(-age))
                .await
                .1
                .meta
                .public_id,
        );
    }
    filed_for(store, &other, NOW).await;
    let listed = users
        .list_by_user(&user, None, 10, NOW)
        .await
        .expect("of_user works");
    assert_eq!(
        listed
            .iter()
            .map(|record| record.public_id)
            .collect::<Vec<_>>(),
        handles
    );
    assert!(
        users
            .list_by_user(&user, None, 10, LATER)
            .await
            .expect("of_user works")
            .is_empty(),
        "expired sessions are not listed"
    );
    assert!(
        users
            .list_by_user(&unique("nobody"), None, 10, NOW)
            .await
            .expect("of_user works")
            .is_empty()
    );
}

/// Deleting one session, all but one, or all: the selected sessions are gone, the others remain.
pub async fn users_lose_their_sessions<S: ErasedStore + ?Sized>(store: &S) {
    let Some(users) = store.powers().users() else {
        return;
    };
    let user = unique("user");
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(filed_for(store, &user, NOW).await);
    }
    let [(a, first), (b, second), (c, _), (d, _)] = &sessions[..] else {
        unreachable!("four were filed")
    };
    assert!(matches!(
        users
            .delete_by_user(&user, Selection::Only(first.meta.public_id), 10, NOW)
            .await,
        Ok(1)
    ));
    assert!(is_absent(store, a, NOW).await && !is_absent(store, b, NOW).await);
    assert!(matches!(
        users
            .delete_by_user(&user, Selection::AllBut(second.meta.public_id), 10, NOW)
            .await,
        Ok(2)
    ));
    assert!(
        is_absent(store, c, NOW).await
            && is_absent(store, d, NOW).await
            && !is_absent(store, b, NOW).await
    );
    assert!(matches!(
        users.delete_by_user(&user, Selection::All, 10, NOW).await,
        Ok(1)
    ));
    assert!(matches!(
        users.delete_by_user(&user, Selection::All, 10, NOW).await,
        Ok(0)
    ));
    assert!(is_absent(store, b, NOW).await);
}

/// A list continues after any of its sessions.
///
/// A deletion in steps removes the newest sessions first and leaves markers. When it returns 0, all
/// are deleted.
pub async fn a_user_with_many_sessions_is_served_in_steps<S: ErasedStore + ?Sized>(store: &S) {
    let Some(users) = store.powers().users() else {
        return;
    };
    let user = unique("user");
    let mut sessions = Vec::new();
    for age in 0..7 {
        sessions.push(filed_for(store, &user, NOW.saturating_add(-age)).await);
    }
    let (mut after, mut listed) = (None, Vec::new());
    loop {
        let page = users
            .list_by_user(&user, after, 3, NOW)
            .await
            .expect("of_user works");
        assert!(page.len() <= 3);
        listed.extend(page.iter().map(|session| session.public_id));
        match page.last() {
            Some(last) if page.len() == 3 => after = Some(last.position()),
            _ => break,
        }
    }
    let handles: Vec<_> = sessions
        .iter()
        .map(|(_, record)| record.meta.public_id)
        .collect();
    assert_eq!(listed, handles);
    let spared = Selection::AllBut(handles[0]);
    for gone in [2, 4, 6, 6] {
        let deleted = users.delete_by_user(&user, spared, 2, NOW).await;
        let deleted = deleted.expect("delete_by_user works");
        for (age, (key, _)) in sessions.iter().enumerate() {
            let expected = (1..=gone).contains(&age);
            assert_eq!(
                is_absent(store, key, NOW).await,
                expected,
                "the newest go first"
            );
            assert!(!expected || is_retired(store, key, NOW).await);
        }
        assert!(deleted == 2 || (deleted == 0 && gone == 6), "{deleted}");
    }
}

/// A trim removes the oldest sessions, at most its limit, and never more than the excess.
///
/// Within one second, the caller's own session counts as the newest.
pub async fn a_trim_takes_the_oldest<S: ErasedStore + ?Sized>(store: &S) {
    let Some(users) = store.powers().users() else {
        return;
    };
    let user = unique("user");
    let mut sessions = Vec::new();
    for age in [0, 0, 1, 2, 3] {
        sessions.push(filed_for(store, &user, NOW.saturating_add(-age)).await);
    }
    let absent = || async {
        let mut absent = Vec::new();
        for (key, _) in &sessions {
            absent.push(is_absent(store, key, NOW).await);
        }
        absent
    };
    for own in [0, 1] {
        let own = sessions[own].1.meta.public_id;
        assert!(matches!(users.trim(&user, 5, own, 10, NOW).await, Ok(0)));
    }
    let own = sessions[1].1.meta.public_id;
    assert!(matches!(users.trim(&user, 3, own, 1, NOW).await, Ok(1)));
    assert_eq!(absent().await, [false, false, false, false, true]);
    assert!(matches!(users.trim(&user, 3, own, 10, NOW).await, Ok(1)));
    assert_eq!(absent().await, [false, false, false, true, true]);
    assert!(matches!(users.trim(&user, 1, own, 10, NOW).await, Ok(2)));
    assert_eq!(absent().await, [true, false, true, true, true]);
    assert!(is_retired(store, &sessions[0].0, NOW).await);
    assert!(matches!(users.trim(&user, 1, own, 10, NOW).await, Ok(0)));
}

/// A sweep respects its limit, removes only expired records, and eventually removes all of them.
pub async fn a_sweep_is_bounded_and_spares_the_living<S: ErasedStore + ?Sized>(store: &S) {
    let Some(sweeper) = store.powers().sweeper() else {
        return;
    };
    // A separate time range, so that the sweep spares other checks' records in the same store.
    let then = Timestamp::from_unix(1_000_000_000);
    let (living, _) = filed(store, "{}").await;
    for _ in 0..5 {
        let mut old = record("{}");
        old.meta.expires = then;
        create(store, &key(), &old).await;
    }
    let mut swept = Vec::new();
    while swept.last() != Some(&0) && swept.len() < 1000 {
        swept.push(sweeper.sweep(2, then).await.expect("sweep works"));
    }
    assert!(swept.iter().all(|&count| count <= 2), "{swept:?}");
    assert!(swept.iter().sum::<usize>() >= 5, "{swept:?}");
    assert!(!is_absent(store, &living, NOW).await);
}

/// One of several callers gets the sweep lease, and another one gets it after it has expired.
///
/// A wrong clock blocks the lease only for a short time.
pub async fn one_of_many_sweeps_at_a_time<S: ErasedStore + ?Sized>(store: &S) {
    let Some(sweeper) = store.powers().sweeper() else {
        return;
    };
    // A separate time, because a lease outlives the check.
    let [a, b, c, d, ..] = *record("{}").meta.public_id.as_bytes();
    let now = NOW.saturating_add(u32::from_be_bytes([a, b, c, d]).into());
    let at = |seconds| now.saturating_add(seconds);
    let claims = |until, now| {
        all((0..20).map(move |_| -> BoxFuture<'_, bool> {
            Box::pin(async move {
                sweeper
                    .acquire_sweep_lease(until, now)
                    .await
                    .expect("claim works")
            })
        }))
    };
    let winners = |claims: Vec<bool>| claims.into_iter().filter(|&won| won).count();
    for (until, now, expected) in [
        (at(60), at(0), 1),
        (at(119), at(59), 0),
        (at(120), at(60), 1),
        (at(179), at(119), 0),
        // Acquired under a clock that is a year ahead.
        (at(31_536_060), at(31_536_000), 1),
        (at(180), at(120), 1),
        (at(181), at(121), 0),
    ] {
        let won = winners(claims(until, now).await);
        let expected = if store.capabilities().keeps_claims {
            expected
        } else {
            20
        };
        assert_eq!(won, expected, "until {until:?} at {now:?}");
    }
}

async fn filed_for<S: ErasedStore + ?Sized>(
    store: &S,
    user: &str,
    renewed: Timestamp,
) -> (StoreKey, Record) {
    let (key, mut record) = (key(), record("{}"));
    record.meta.user = Some(user.to_owned());
    record.meta.renewed = renewed;
    create(store, &key, &record).await;
    (key, record)
}
