//! Datagrams of strangers: requests for a connection, and answers to challenges.

use std::net::SocketAddr;
use std::time::Duration;

use nme_enet::ConnectRequest;
use nme_enet::inspect::{Header, Request};
use nme_enet::proof::{self, Answer, CHALLENGE_LEN};

use super::admission::{
    AccessChange, AccessList, AddressProof, AdmissionCounters, Decision, Outcome, Question, RateLimit,
    Standing,
};
use super::{Endpoint, Role};
use crate::counters::Dropped;

impl Endpoint {
    /// Takes a plain datagram from somebody without a connection, to a server.
    pub(super) fn take_stranger(&mut self, from: SocketAddr, plain: &[u8]) -> Result<(), Dropped> {
        let header = Header::read(plain)?;
        if Answer::is_answer(plain, &header) {
            return self.take_answer(from, &Answer::read(plain, &header)?);
        }
        let standing = if self.datagrams.is_encrypted() { Standing::Encrypted } else { Standing::Stranger };
        self.knock(from, plain, standing)
    }

    fn take_answer(&mut self, from: SocketAddr, answer: &Answer) -> Result<(), Dropped> {
        let Role::Server { admission, .. } = &mut self.role else { return Ok(()) };
        match admission.prove(self.now, from, answer) {
            (false, _) => Err(Dropped::WrongProof),
            (true, None) => Ok(()),
            (true, Some(request)) => self.knock(from, &request, Standing::Proven),
        }
    }

    /// Takes a connect request.
    fn knock(&mut self, from: SocketAddr, plain: &[u8], standing: Standing) -> Result<(), Dropped> {
        let now = self.now;
        let Self { host, role: Role::Server { admission, .. }, .. } = self else { return Ok(()) };
        let half_open = host.half_open_peers();
        let is_proven = standing != Standing::Stranger || admission.is_proven(now, from);
        if half_open > 0 && is_proven && !host.has_vacancy() && host.give_up_half_open(SHORTEST_WAIT) {
            admission.note(Outcome::GivenUp);
        }
        let mut is_full = false;
        let mut challenge: Option<[u8; CHALLENGE_LEN]> = None;
        let mut asks_for = None;
        let mut judge = |request: &ConnectRequest| {
            is_full = request.is_full;
            let decision = admission.judge(now, request, standing, half_open);
            match decision {
                Decision::Challenge(proof) => {
                    challenge = Some(proof::challenge(request.peer, request.sent_time, proof));
                }
                Decision::Ask => asks_for = Some(request.data),
                _ => {}
            }
            decision.verdict()
        };
        let taken = host.handle_datagram(self.told, from, plain, &mut judge);
        if let Ok(request) = plain.try_into() {
            if let Some(challenge) = challenge {
                admission.keep(now, from, request);
                // As it is: compressed, a client with another compression could not read it.
                self.datagrams.out.wire.push(from, &challenge);
            } else if let Some(id) = asks_for {
                admission.ask_game(now, from, id, request);
            }
        }
        match taken {
            Err(_) if challenge.is_some() || asks_for.is_some() => Ok(()),
            Err(_) if is_full => Err(Dropped::ServerFull),
            other => Ok(other?),
        }
    }

    /// Server: the game has an opinion on a client.
    pub(super) fn answer_question(&mut self, number: u64, admit: bool) {
        let Role::Server { admission, .. } = &mut self.role else { return };
        let Some((from, request)) = admission.answered(self.now, number) else { return };
        if admit {
            if let Err(reason) = self.knock(from, &request, Standing::Approved) {
                self.counters.drop_datagram(reason);
            }
            return;
        }
        admission.note(Outcome::GameRefused);
        let asked = Header::read(&request).and_then(|header| Request::read(&request, &header));
        if let Ok(asked) = asked {
            self.host.refuse(&asked.describe(from, false));
            self.collect();
            self.datagrams.close_unless_used(self.now, from, &self.host);
        }
    }

    /// Server: the next client that the game is asked about.
    pub(super) fn next_question(&mut self) -> Option<Question> {
        self.admission_mut()?.next_question()
    }

    /// Server: whether the game is asked about each client.
    pub(super) fn set_asking(&mut self, asks: bool) {
        self.admission_mut().into_iter().for_each(|admission| admission.set_asking(asks));
    }

    /// Server: when strangers have to prove their address.
    pub(super) fn set_address_proof(&mut self, proof: AddressProof) {
        self.admission_mut().into_iter().for_each(|admission| admission.set_proof(proof));
    }

    /// Server: connections of one address, 0 for no limit.
    pub(super) fn set_address_limit(&mut self, limit: u16) {
        self.admission_mut().into_iter().for_each(|admission| admission.set_address_limit(limit));
    }

    /// Server: how many connections of one address may begin.
    pub(super) fn set_rate_limit(&mut self, limit: RateLimit) {
        self.admission_mut().into_iter().for_each(|admission| admission.set_rate_limit(limit));
    }

    /// Server: who may connect.
    pub(super) fn set_access_list(&mut self, list: AccessList) {
        if let Some(admission) = self.admission_mut() {
            admission.set_list(list);
        }
    }

    /// Server: one rule of who may connect.
    pub(super) fn change_access_list(&mut self, change: AccessChange) {
        self.admission_mut().into_iter().for_each(|admission| admission.change_list(change));
    }

    /// What has become of those who asked for a connection. Nothing for a client.
    pub(crate) fn admission_counters(&self) -> AdmissionCounters {
        match &self.role {
            Role::Server { admission, .. } => admission.counters(self.host.half_open_peers()),
            Role::Client(_) => AdmissionCounters::default(),
        }
    }

    /// Much of the poll's time is over: strangers are to wait.
    pub fn hurry(&mut self) {
        self.admission_mut().into_iter().for_each(|admission| admission.hurry());
    }

    fn admission_mut(&mut self) -> Option<&mut super::admission::Admission> {
        match &mut self.role {
            Role::Server { admission, .. } => Some(admission),
            Role::Client(_) => None,
        }
    }
}

/// How old a half-open connection is that is given up for somebody with a proven address: twice the round trip to the other
/// side of the world.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
