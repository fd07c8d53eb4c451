//! Why a client has no connection.

use thiserror::Error;

use crate::secure::SecureFailure;

/// Why a client's attempt has failed, or its connection has ended.
///
/// The text says what to do about it. The numbers are part of the class's interface: they never change.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ConnectionError {
    /// Attempt: nobody answered.
    #[error(
        "nobody answered: check the address and the port, that the server runs, that routers and firewalls let UDP through, and that compression_mode and use_dtls are the same on both sides"
    )]
    TimedOut = 1,
    /// Attempt: the server takes no more clients.
    #[error(
        "the server takes no more clients now: it is full or refuses new connections, so try again later"
    )]
    Refused = 2,
    /// Attempt: the server's name has no address.
    #[error("the server's name has no address: check its spelling, the network and set_bind_ip()")]
    NotResolved = 3,
    /// The server has ended the connection: it has been closed, or has disconnected this client.
    #[error("the server has ended the connection: it was closed, or it disconnected this client")]
    ClosedByServer = 4,
    /// The connection stood, and then the server did not answer any more.
    #[error("the server did not answer any more: connect again when the network or the server is back")]
    Lost = 5,
    /// DTLS: the last day of the server's certificate has passed.
    #[error(
        "the server's certificate has expired: give the server a new one, or correct this device's clock"
    )]
    CertificateExpired = 6,
    /// DTLS: the first day of the server's certificate has not come.
    #[error(
        "the server's certificate is not valid yet: correct this device's clock, or the first day in the certificate"
    )]
    CertificateNotYetValid = 7,
    /// DTLS: the server's certificate is for another name.
    #[error(
        "the server's certificate is for another name: set dtls_hostname to the name in it, which should be the server's"
    )]
    WrongName = 8,
    /// DTLS: nobody that this client trusts has signed the server's certificate.
    #[error(
        "the server's certificate is not trusted: give this client the same or its issuer's with set_dtls_certificate()"
    )]
    Untrusted = 9,
    /// DTLS: the server answers, but without DTLS.
    #[error("the server answers without DTLS: switch use_dtls on there, or off here")]
    NoDtls = 10,
    /// DTLS: no complete handshake in time.
    #[error(
        "there was no DTLS handshake in time: check the address and the port, that the server runs with use_dtls, and that routers and firewalls let UDP through"
    )]
    HandshakeTimedOut = 11,
    /// DTLS: the handshake went wrong in another way.
    #[error(
        "the DTLS handshake went wrong: check the server's key and certificate, and that both sides share a cipher of DTLS 1.2"
    )]
    HandshakeFailed = 12,
    /// The server's datagrams have no tags, which this client requires.
    #[error(
        "the server does not tag its datagrams: it is one of Godot 3.6, so switch require_datagram_tags off here"
    )]
    Untagged = 13,
    /// The connection stood, and long datagrams got lost again and again while short ones arrived.
    #[error(
        "long datagrams got lost again and again, and short ones did not: set mtu to a smaller number, on the server for all or on this client, before the next attempt"
    )]
    LongLost = 14,
    /// The server has sent this client away, and has said why.
    #[error("the server has sent this client away: see get_kick_text() and get_kick_code()")]
    Kicked = 15,
}

impl ConnectionError {
    /// Every error, in the order of the numbers.
    pub const ALL: [Self; 15] = [
        Self::TimedOut,
        Self::Refused,
        Self::NotResolved,
        Self::ClosedByServer,
        Self::Lost,
        Self::CertificateExpired,
        Self::CertificateNotYetValid,
        Self::WrongName,
        Self::Untrusted,
        Self::NoDtls,
        Self::HandshakeTimedOut,
        Self::HandshakeFailed,
        Self::Untagged,
        Self::LongLost,
        Self::Kicked,
    ];

    /// The number that games see; 0 stands for no error.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl From<SecureFailure> for ConnectionError {
    fn from(failure: SecureFailure) -> Self {
        match failure {
            SecureFailure::CertificateExpired => Self::CertificateExpired,
            SecureFailure::CertificateNotYetValid => Self::CertificateNotYetValid,
            SecureFailure::WrongName => Self::WrongName,
            SecureFailure::Untrusted => Self::Untrusted,
            SecureFailure::NoDtls => Self::NoDtls,
            SecureFailure::Refused => Self::Refused,
            SecureFailure::Handshake => Self::HandshakeFailed,
            SecureFailure::TimedOut => Self::HandshakeTimedOut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_from_one() {
        for (number, error) in (1..).zip(ConnectionError::ALL) {
            assert_eq!(error.number(), number, "{error:?}");
        }
    }
}
