//! What a store that can do more than the six verbs promises besides: `UserSessions`, `ExpiredSweep`. A store
//! without a power passes its checks by not having it.

use super::fixtures::*;
use crate::{
    clock::Timestamp,
    store::{BoxFuture, Record, SessionStore, StoreKey, Which},
};

/// The list of a user's sessions has all live ones and no other, the newest id first.
pub async fn users_see_their_sessions<S: SessionStore>(store: &S) {
    let Some(users) = store.users() else { return };
    let (user, other) = (unique("user"), unique("other"));
    let mut handles = Vec::new();
    for age in 0..3 {
        handles.push(
            filed_for(store, &user, NOW.saturating_add(-age))
                .await
                .1
                .handle,
        );
    }
    filed_for(store, &other, NOW).await;
    let listed = users.of_user(&user, NOW).await.expect("of_user works");
    assert_eq!(
        listed
            .iter()
            .map(|record| record.handle)
            .collect::<Vec<_>>(),
        handles
    );
    assert!(
        users
            .of_user(&user, LATER)
            .await
            .expect("of_user works")
            .is_empty(),
        "expired sessions are not listed"
    );
    assert!(
        users
            .of_user(&unique("nobody"), NOW)
            .await
            .expect("of_user works")
            .is_empty()
    );
}

/// One, all but one, all: what is taken away is gone, the rest stays.
pub async fn users_lose_their_sessions<S: SessionStore>(store: &S) {
    let Some(users) = store.users() else { return };
    let user = unique("user");
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(filed_for(store, &user, NOW).await);
    }
    let [(a, first), (b, second), (c, _), (d, _)] = &sessions[..] else {
        unreachable!("four were filed")
    };
    assert!(matches!(
        users.delete_of_user(&user, Which::Only(first.handle)).await,
        Ok(1)
    ));
    assert!(is_absent(store, a, NOW).await && !is_absent(store, b, NOW).await);
    assert!(matches!(
        users
            .delete_of_user(&user, Which::AllBut(second.handle))
            .await,
        Ok(2)
    ));
    assert!(
        is_absent(store, c, NOW).await
            && is_absent(store, d, NOW).await
            && !is_absent(store, b, NOW).await
    );
    assert!(matches!(
        users.delete_of_user(&user, Which::All).await,
        Ok(1)
    ));
    assert!(matches!(
        users.delete_of_user(&user, Which::All).await,
        Ok(0)
    ));
    assert!(is_absent(store, b, NOW).await);
}

/// A sweep takes no more than it may, takes only what has expired, and gets through in the end.
pub async fn lif_13_a_sweep_is_bounded_and_spares_the_living<S: SessionStore>(store: &S) {
    let Some(sweeper) = store.sweeper() else {
        return;
    };
    // A past of its own, so that other checks' records on the same store stay.
    let then = Timestamp::from_unix(1_000_000_000);
    let (living, _) = filed(store, "{}").await;
    for _ in 0..5 {
        let mut old = record("{}");
        old.expires = then;
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

/// Of many who would sweep, one is told to, and the next one when its time is over; a clock that is wrong does
/// not stop it for long.
pub async fn one_of_many_sweeps_at_a_time<S: SessionStore>(store: &S) {
    let Some(sweeper) = store.sweeper() else {
        return;
    };
    // A time of its own: a claim outlives the check.
    let [a, b, c, d, ..] = *record("{}").handle.as_bytes();
    let now = NOW.saturating_add(u32::from_be_bytes([a, b, c, d]).into());
    let at = |seconds| now.saturating_add(seconds);
    let claims = |until, now| {
        all((0..20).map(move |_| -> BoxFuture<'_, bool> {
            Box::pin(async move { sweeper.claim(until, now).await.expect("claim works") })
        }))
    };
    let winners = |claims: Vec<bool>| claims.into_iter().filter(|&won| won).count();
    for (until, now, expected) in [
        (at(60), at(0), 1),
        (at(119), at(59), 0),
        (at(120), at(60), 1),
        (at(179), at(119), 0),
        // Made under a clock that is a year ahead.
        (at(31_536_060), at(31_536_000), 1),
        (at(180), at(120), 1),
        (at(181), at(121), 0),
    ] {
        let won = winners(claims(until, now).await);
        let expected = if store.layout().keeps_claims {
            expected
        } else {
            20
        };
        assert_eq!(won, expected, "until {until:?} at {now:?}");
    }
}

async fn filed_for<S: SessionStore>(
    store: &S,
    user: &str,
    renewed: Timestamp,
) -> (StoreKey, Record) {
    let (key, mut record) = (key(), record("{}"));
    record.user = Some(user.to_owned());
    record.renewed = renewed;
    create(store, &key, &record).await;
    (key, record)
}
