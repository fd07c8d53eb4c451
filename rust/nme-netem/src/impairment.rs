//! What a link does to each datagram, one after the other.

use std::time::Duration;

use crate::conditions::{Link, LinkError};
use crate::counters::Counters;
use crate::passage::{Arrivals, Generators, Passage};

/// Decides what becomes of the datagrams of one direction: whether they arrive, when, and how often. Keeps no bytes.
///
/// ```
/// use std::time::Duration;
///
/// use nme_netem::{Impairment, InFlight, Link, LinkError};
///
/// let mut impairment = Impairment::new(Link::delayed(Duration::from_millis(40)), 1)?;
/// let mut in_flight = InFlight::new();
/// if let Some(arrivals) = impairment.send(Duration::ZERO, 5) {
///     assert!(in_flight.push(arrivals.first, "server", b"hello"));
/// }
/// assert_eq!(in_flight.next_due(), Some(Duration::from_millis(40)));
/// # Ok::<(), LinkError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Impairment {
    link: Link,
    pub(crate) passage: Passage,
    random: Generators,
}

impl Impairment {
    /// What happens depends on the settings, the seed and the calls alone.
    ///
    /// # Errors
    /// The settings make no sense; see [`Link::validate`].
    pub fn new(link: Link, seed: u64) -> Result<Self, LinkError> {
        link.validate()?;
        Ok(Self { link, passage: Passage::new(), random: Generators::new(seed) })
    }

    /// The settings.
    #[must_use]
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// Sets what holds from now on. Later datagrams may overtake those that are on their way.
    ///
    /// # Errors
    /// The settings make no sense; see [`Link::validate`]. The old ones hold on.
    pub fn set_link(&mut self, link: Link) -> Result<(), LinkError> {
        link.validate()?;
        if link != self.link {
            self.link = link;
            self.passage.forget_order();
        }
        Ok(())
    }

    /// Sends a datagram of this length; `None` when it is lost. `now` must not go back.
    pub fn send(&mut self, now: Duration, len: usize) -> Option<Arrivals> {
        self.passage.send(now, len, &self.link, &mut self.random)
    }

    /// What has happened so far. Arrivals are for the caller to count.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.passage.counters
    }
}
