//! What the errors of the operating systems mean to a UDP socket.
//!
//! std names most of them; the rest are told apart by number.

use std::io::{self, ErrorKind};

/// Calls again while a signal handler interrupts the call; gives up after a few times rather than never.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..MAX_INTERRUPTIONS {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
    Err(ErrorKind::Interrupted.into())
}

/// The machine has no such address: not its own, or of a family it does not support.
pub(crate) fn address_unavailable(error: &io::Error) -> bool {
    error.kind() == ErrorKind::AddrNotAvailable || is_one_of(error, os::FAMILY_UNSUPPORTED)
}

/// The system does not take the address as it is: a link-local one, which means nothing without the
/// interface it belongs to.
pub(crate) fn address_incomplete(error: &io::Error) -> bool {
    error.kind() == ErrorKind::InvalidInput
}

/// The datagram did not fit into the buffer it was read into, or into the largest that can be sent.
pub(crate) fn too_long(error: &io::Error) -> bool {
    is_one_of(error, os::TOO_LONG)
}

/// The system's send queue is full for the moment.
pub(crate) fn queue_full(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || is_one_of(error, os::NO_BUFFERS)
}

/// An earlier datagram of a connected socket did not arrive, which the system tells instead of what it was asked for.
pub(crate) fn earlier(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::HostUnreachable
    )
}

/// The system has ended the socket: nothing will come or go through it any more.
pub(crate) fn has_died(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::BrokenPipe) || is_one_of(error, os::NO_SOCKET)
}

fn is_one_of(error: &io::Error, codes: &[i32]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

const MAX_INTERRUPTIONS: usize = 32;

#[cfg(unix)]
mod os {
    pub(super) const FAMILY_UNSUPPORTED: &[i32] =
        &[libc::EAFNOSUPPORT, libc::EPFNOSUPPORT, libc::EPROTONOSUPPORT];
    pub(super) const TOO_LONG: &[i32] = &[libc::EMSGSIZE];
    pub(super) const NO_BUFFERS: &[i32] = &[libc::ENOBUFS];
    pub(super) const NO_SOCKET: &[i32] = &[libc::EBADF, libc::ENOTSOCK];
}

#[cfg(windows)]
mod os {
    // WSAEPROTONOSUPPORT, WSAEPFNOSUPPORT, WSAEAFNOSUPPORT.
    pub(super) const FAMILY_UNSUPPORTED: &[i32] = &[10043, 10046, 10047];
    // WSAEMSGSIZE.
    pub(super) const TOO_LONG: &[i32] = &[10040];
    // WSAENOBUFS.
    pub(super) const NO_BUFFERS: &[i32] = &[10055];
    // WSAENOTSOCK.
    pub(super) const NO_SOCKET: &[i32] = &[10038];
}

#[cfg(not(any(unix, windows)))]
mod os {
    pub(super) const FAMILY_UNSUPPORTED: &[i32] = &[];
    pub(super) const TOO_LONG: &[i32] = &[];
    pub(super) const NO_BUFFERS: &[i32] = &[];
    pub(super) const NO_SOCKET: &[i32] = &[];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupted_calls_are_repeated() {
        let mut calls = 0;
        let result = uninterrupted(|| {
            calls += 1;
            if calls < 4 { Err(ErrorKind::Interrupted.into()) } else { Ok(calls) }
        });
        assert_eq!(result.unwrap(), 4);
    }

    #[test]
    fn endless_interruptions_end() {
        let mut calls = 0;
        let result: io::Result<()> = uninterrupted(|| {
            calls += 1;
            Err(ErrorKind::Interrupted.into())
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(calls, MAX_INTERRUPTIONS);
    }

    #[test]
    fn other_errors_are_not_repeated() {
        let mut calls = 0;
        let result: io::Result<()> = uninterrupted(|| {
            calls += 1;
            Err(ErrorKind::ConnectionRefused.into())
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(calls, 1);
    }

    #[cfg(unix)]
    #[test]
    fn unix_errors_are_told_apart() {
        let error = io::Error::from_raw_os_error;
        assert!(address_unavailable(&error(libc::EADDRNOTAVAIL)));
        assert!(address_unavailable(&error(libc::EAFNOSUPPORT)));
        assert!(!address_unavailable(&error(libc::EADDRINUSE)));
        assert!(!address_unavailable(&error(libc::EACCES)));
        assert!(address_incomplete(&error(libc::EINVAL)));
        assert!(too_long(&error(libc::EMSGSIZE)));
        assert!(queue_full(&error(libc::EAGAIN)));
        assert!(queue_full(&error(libc::ENOBUFS)));
        assert!(!queue_full(&error(libc::EPERM)));
    }
}
