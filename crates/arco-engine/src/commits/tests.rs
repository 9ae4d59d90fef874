use super::*;

#[tokio::test]
async fn what_was_announced_since_the_last_look_is_not_waited_for() {
    let announcer = Announcer::default();
    let mut commits = announcer.commits();
    announcer.announce();
    assert_eq!(commits.changed().await, Ok(()));
    assert_eq!(commits.changed().await, Ok(()), "waiting is not looking");
    commits.look();
    let waiting = commits.clone();
    let waiter = tokio::spawn(async move { waiting.changed().await });
    tokio::task::yield_now().await;
    assert!(!waiter.is_finished());
    announcer.announce();
    assert_eq!(waiter.await.expect("it does not panic"), Ok(()));
}

#[tokio::test]
async fn waiters_are_woken_in_the_order_they_came() {
    let announcer = Announcer::default();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let waiters: Vec<_> = (0..50)
        .map(|n| {
            let (commits, order) = (announcer.commits(), Arc::clone(&order));
            tokio::spawn(async move {
                commits.changed().await.expect("it is announced");
                order.lock().expect("nobody panics").push(n);
            })
        })
        .collect();
    tokio::task::yield_now().await;
    announcer.announce();
    for waiter in waiters {
        waiter.await.expect("it does not panic");
    }
    assert!(order.lock().expect("nobody panics").is_sorted());
}

#[tokio::test]
async fn the_end_is_heard() {
    let announcer = Announcer::default();
    let commits = announcer.commits();
    drop(announcer);
    assert_eq!(commits.changed().await, Err(Ended));
}
