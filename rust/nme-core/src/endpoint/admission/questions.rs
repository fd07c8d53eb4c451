//! Questions to the game: may this client come in? They go out and come back as values, so that the game has time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::half_open::RequestBytes;

/// A client that asks for a place, from an address that it has proven. Answer it within 8 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// For [`Session::answer_question`](crate::session::Session::answer_question).
    pub number: u64,
    /// Where it is.
    pub address: SocketAddr,
    /// The id that it would have.
    pub id: u32,
}

/// The questions that are not answered.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: VecDeque<(Question, RequestBytes, Duration)>,
    /// Those of them that the game has not seen.
    unseen: VecDeque<Question>,
    next: u64,
}

impl Questions {
    /// True while the game is being asked about this address.
    pub(super) fn has(&self, now: Duration, address: SocketAddr) -> bool {
        self.open.iter().any(|(question, _, at)| question.address == address && is_fresh(now, *at))
    }

    pub(super) fn ask(&mut self, now: Duration, address: SocketAddr, id: u32, request: RequestBytes) {
        while self.open.len() >= MAX_QUESTIONS
            || self.open.front().is_some_and(|(_, _, at)| !is_fresh(now, *at))
        {
            self.open.pop_front();
        }
        let question = Question { number: self.next, address, id };
        self.next += 1;
        self.open.push_back((question, request, now));
        while self.unseen.len() >= MAX_QUESTIONS {
            self.unseen.pop_front();
        }
        self.unseen.push_back(question);
    }

    pub(super) fn next(&mut self) -> Option<Question> {
        self.unseen.pop_front()
    }

    /// The request that this question was about, if it is still of interest.
    pub(super) fn answer(&mut self, now: Duration, number: u64) -> Option<(SocketAddr, RequestBytes)> {
        let at = self.open.iter().position(|(question, ..)| question.number == number)?;
        let (question, request, asked) = self.open.remove(at)?;
        is_fresh(now, asked).then_some((question.address, request))
    }
}

fn is_fresh(now: Duration, at: Duration) -> bool {
    now.saturating_sub(at) <= LONGEST_QUESTION
}

/// Questions that are kept.
const MAX_QUESTIONS: usize = 256;

/// How long the game may think. A client gives up after 30 s, and repeats its request in longer and longer pauses.
const LONGEST_QUESTION: Duration = Duration::from_secs(8);
