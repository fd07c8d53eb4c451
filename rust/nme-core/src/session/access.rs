//! Who may connect to a server. All of it can be changed at any time, and counts for those who ask from then on. Nothing here
//! does anything on a client.

use super::Session;
use crate::endpoint::admission::{
    AccessChange, AccessList, AddressProof, AdmissionCounters, Question, RateLimit,
};
use crate::endpoint::{Command, Link, Setting};
use crate::query::QueryInfo;

impl<L: Link> Session<L> {
    /// Sets when a client has to prove its address before it gets a place; [`AddressProof::Auto`] from the start. Encrypted
    /// connections prove it in any case.
    pub fn set_address_proof(&mut self, proof: AddressProof) {
        self.set(Setting::AddressProof(proof));
    }

    /// Sets how many connections one address may have, or one /64 of IPv6. 0 is no limit, from the start: behind one address
    /// there can be a school, a LAN party or a whole mobile network, and only the game knows which. Who has too many is told.
    pub fn set_max_connections_per_address(&mut self, limit: u16) {
        self.set(Setting::AddressLimit(limit));
    }

    /// Sets how many connections of one address may begin in a time, or of one /64 of IPv6. Who is too early gets no
    /// answer, asks again, and is let in then.
    pub fn set_connection_rate_limit(&mut self, limit: RateLimit) {
        self.set(Setting::RateLimit(limit));
    }

    /// Sets which addresses may connect. Who may not is told. Those who are in stay.
    pub fn set_access_list(&mut self, list: AccessList) {
        self.set(Setting::AccessList(list));
    }

    /// Changes one rule of which addresses may connect.
    pub fn change_access_list(&mut self, change: AccessChange) {
        self.set(Setting::AccessChange(change));
    }

    /// Sets whether the game is asked about each client, once its address is proven: with [`Session::next_question`] and
    /// [`Session::answer_question`].
    pub fn set_asking(&mut self, asks: bool) {
        self.set(Setting::Asking(asks));
    }

    /// Sets what the server says to those who ask without a connection, see [`crate::query`]; with `None`, from the start, it
    /// does not answer.
    pub fn set_query_info(&mut self, info: Option<QueryInfo>) {
        self.set(Setting::QueryInfo(info));
    }

    /// The next client that the game is to be asked about, to be looked for behind each poll.
    pub fn next_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    /// Lets the client in that a question was about, or tells it that it is refused. What comes of it is in the next poll. Does
    /// nothing for a question that is older than 8 s: the client has asked again meanwhile, or has gone.
    pub fn answer_question(&mut self, number: u64, admit: bool) {
        self.link.execute(Command::Answer(number, admit));
    }
}

impl Session {
    /// What has become of those who asked for a connection.
    #[must_use]
    pub fn admission_counters(&self) -> AdmissionCounters {
        self.link.admission_counters()
    }

    /// Much of the time that this poll has for reading is over: until the next one, only some strangers are looked at.
    pub fn hurry(&mut self) {
        self.link.hurry();
    }
}
