//! The channels of a connection. A channel costs its memory once it is used.

use crate::receive::ReceiveChannel;
use crate::send::SendChannel;

/// Both halves of a channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) receive: ReceiveChannel,
    pub(crate) send: SendChannel,
}

/// All channels that both sides have.
#[derive(Debug)]
pub(crate) struct Channels(Box<[Option<Box<Channel>>]>);

impl Channels {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// A channel that has been used.
    pub(crate) fn used(&self, channel: u8) -> Option<&Channel> {
        self.0.get(usize::from(channel))?.as_deref()
    }

    /// A channel that has been used.
    pub(crate) fn used_mut(&mut self, channel: u8) -> Option<&mut Channel> {
        self.0.get_mut(usize::from(channel))?.as_deref_mut()
    }

    /// A channel; `None` when the connection does not have it.
    pub(crate) fn get_mut(&mut self, channel: u8) -> Option<&mut Channel> {
        let new = || Box::new(Channel { receive: ReceiveChannel::default(), send: SendChannel::new() });
        Some(self.0.get_mut(usize::from(channel))?.get_or_insert_with(new))
    }

    /// The channels that have been used.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.0.iter_mut().filter_map(Option::as_deref_mut)
    }

    /// The channel with most bytes of unreliable packets that only a newer packet can end.
    pub(crate) fn most_stuck(&mut self) -> Option<&mut Channel> {
        self.iter_mut()
            .filter(|channel| channel.receive.stuck() > 0)
            .max_by_key(|channel| channel.receive.stuck())
    }

    /// True when a reliable command with this number is acknowledged.
    pub(crate) fn acknowledges(&self, channel: u8, sequence: u16) -> bool {
        match self.used(channel) {
            Some(channel) => channel.receive.acknowledges(sequence),
            None => usize::from(channel) >= self.len() || ReceiveChannel::default().acknowledges(sequence),
        }
    }
}
