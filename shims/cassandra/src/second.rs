//! A second node for a request that the first one does not answer: which one, and how many such requests at once.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use scylla::cluster::{ClusterState, Node, NodeRef};
use scylla::policies::load_balancing::{FallbackPlan, LoadBalancingPolicy, RoutingInfo};
use scylla::routing::Shard;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What became of requests that were not answered in time, since the session began.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub sent: u64,
    pub answered_first: u64,
    pub held_back: u64,
}

/// The places of second requests. An owner takes one only while it holds fewer than are free: alone half of them, so
/// that one whose requests are all slow leaves some to the others. A cluster that is slow as a whole keeps them taken,
/// and gets no more than so many requests beside those that are under way anyway.
pub struct SecondRequests {
    places_max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by_owner: HashMap<u64, usize>, // none has 0
    held: usize,
    counts: Counts,
}

/// Given back when it is dropped.
pub struct Place {
    requests: Arc<SecondRequests>,
    owner: u64,
}

impl SecondRequests {
    pub fn new(places_max: usize) -> Arc<SecondRequests> {
        Arc::new(SecondRequests { places_max, state: Mutex::default() })
    }

    pub fn enter(requests: &Arc<SecondRequests>, owner: u64) -> Option<Place> {
        let mut state = locked(&requests.state);
        let free = requests.places_max.saturating_sub(state.held);
        if state.by_owner.get(&owner).copied().unwrap_or(0) >= free {
            state.counts.held_back += 1;
            return None;
        }
        *state.by_owner.entry(owner).or_default() += 1;
        state.held += 1;
        state.counts.sent += 1;
        Some(Place { requests: Arc::clone(requests), owner })
    }

    pub fn counts(&self) -> Counts {
        locked(&self.state).counts
    }
}

impl Place {
    pub fn note_answered_first(&self) {
        locked(&self.requests.state).counts.answered_first += 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = locked(&self.requests.state);
        state.held -= 1;
        let left = state.by_owner.get(&self.owner).map_or(0, |held| held - 1);
        if left == 0 {
            state.by_owner.remove(&self.owner);
        } else {
            state.by_owner.insert(self.owner, left);
        }
    }
}

/// Of one request: nodes as `usual` has them, but each of them once, however often the request is sent.
#[derive(Debug)]
pub struct EachOnce {
    usual: Arc<dyn LoadBalancingPolicy>,
    asked: Mutex<Vec<Arc<Node>>>,
}

impl EachOnce {
    pub fn new(usual: Arc<dyn LoadBalancingPolicy>) -> Arc<EachOnce> {
        Arc::new(EachOnce { usual, asked: Mutex::default() })
    }
}

fn is_among(asked: &[Arc<Node>], node: NodeRef<'_>) -> bool {
    asked.iter().any(|one| one.host_id == node.host_id)
}

impl LoadBalancingPolicy for EachOnce {
    fn pick<'a>(&'a self, request: &'a RoutingInfo, cluster: &'a ClusterState) -> Option<(NodeRef<'a>, Option<Shard>)> {
        let mut asked = locked(&self.asked);
        let picked = self.usual.pick(request, cluster).filter(|(node, _)| !is_among(&asked, node));
        let picked = picked.or_else(|| self.usual.fallback(request, cluster).find(|(node, _)| !is_among(&asked, node)));
        if let Some((node, _)) = picked {
            asked.push(Arc::clone(node));
        }
        picked
    }

    fn fallback<'a>(&'a self, request: &'a RoutingInfo, cluster: &'a ClusterState) -> FallbackPlan<'a> {
        let asked = locked(&self.asked).clone();
        Box::new(self.usual.fallback(request, cluster).filter(move |(node, _)| !is_among(&asked, node)))
    }

    fn name(&self) -> String {
        "EachOnce".to_owned()
    }
}

/// What succeeds first, and whether it is the second; where both fail, the failure of the first.
pub async fn either<T, E>(
    mut first: Pin<&mut impl Future<Output = Result<T, E>>>,
    second: impl Future<Output = Result<T, E>>,
) -> (Result<T, E>, bool) {
    let mut second = pin!(second);
    let mut failure = None;
    let mut is_second_over = false;
    poll_fn(|context| {
        if failure.is_none() {
            match first.as_mut().poll(context) {
                Poll::Ready(Ok(value)) => return Poll::Ready((Ok(value), false)),
                Poll::Ready(Err(error)) => failure = Some(error),
                Poll::Pending => {}
            }
        }
        if !is_second_over {
            match second.as_mut().poll(context) {
                Poll::Ready(Ok(value)) => return Poll::Ready((Ok(value), true)),
                Poll::Ready(Err(_)) => is_second_over = true,
                Poll::Pending => {}
            }
        }
        match failure.take() {
            Some(error) if is_second_over => Poll::Ready((Err(error), false)),
            kept => {
                failure = kept;
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn an_owner_takes_no_more_than_are_free_and_what_is_over_is_given_back() {
        let requests = SecondRequests::new(4);
        let first = SecondRequests::enter(&requests, 7);
        let second = SecondRequests::enter(&requests, 7);
        assert!(first.is_some() && second.is_some());
        assert!(SecondRequests::enter(&requests, 7).is_none());
        let other = SecondRequests::enter(&requests, 8);
        assert!(other.is_some());
        assert!(SecondRequests::enter(&requests, 8).is_none());
        drop(first);
        drop(second);
        let again = SecondRequests::enter(&requests, 7);
        again.as_ref().unwrap().note_answered_first();
        assert_eq!(requests.counts(), Counts { sent: 4, answered_first: 1, held_back: 2 });
    }

    #[test]
    fn without_places_no_second_is_sent() {
        let requests = SecondRequests::new(0);
        assert!(SecondRequests::enter(&requests, 7).is_none());
    }

    fn now<T>(future: impl Future<Output = T>) -> Poll<T> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    type Outcome = Result<u8, &'static str>;

    #[test]
    fn what_succeeds_first_is_the_answer() {
        assert_eq!(now(either(pin!(ready(Outcome::Ok(1))), pending())), Poll::Ready((Ok(1), false)));
        assert_eq!(now(either(pin!(pending()), ready(Outcome::Ok(2)))), Poll::Ready((Ok(2), true)));
        assert_eq!(now(either(pin!(ready(Outcome::Err("one"))), ready(Ok(2)))), Poll::Ready((Ok(2), true)));
    }

    #[test]
    fn one_failure_waits_for_the_other() {
        assert!(now(either(pin!(ready(Outcome::Err("one"))), pending())).is_pending());
        assert!(now(either(pin!(pending()), ready(Outcome::Err("two")))).is_pending());
        let both = now(either(pin!(ready(Outcome::Err("one"))), ready(Err("two"))));
        assert_eq!(both, Poll::Ready((Err("one"), false)));
    }
}
