//! The random numbers of the library.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rtc_crypto::providers::{RingCrypto, RingRandom};
use rtc_crypto::{CryptoError, RTCCrypto, RTCCryptoProvider, RTCRandom};

use crate::gate::cookie::{self, Cookie};

/// Length of the part of an AES-GCM nonce that a record carries.
const NONCE: usize = 8;

/// The operating system's random numbers, with two exceptions. The library asks for three things: the random numbers
/// of hellos (28 bytes), cookies (20 bytes), and nonces (8 bytes); all its keys come from elsewhere.
///
/// - A cookie can be set in advance, as the library is to take over a handshake that began without it.
/// - Nonces are counted. Two equal ones would break the encryption, and random ones of 64 bits are likely to be equal
///   after some days of a busy connection. Besides, a system call for each record is saved.
pub(super) struct Random {
    next_cookie: Mutex<Option<Cookie>>,
    next_nonce: AtomicU64,
}

impl Random {
    /// `None` when the operating system has no random numbers.
    pub(super) fn new() -> Option<Self> {
        // From anywhere, so that a nonce says nothing about how much has been sent.
        let mut start = [0; NONCE];
        RingRandom.fill(&mut start).ok()?;
        Some(Self { next_cookie: Mutex::new(None), next_nonce: AtomicU64::new(u64::from_le_bytes(start)) })
    }

    /// What the library is to draw for its next cookie.
    pub(super) fn set_next_cookie(&self, cookie: Option<Cookie>) {
        *self.next_cookie.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = cookie;
    }

    fn next_cookie(&self) -> Option<Cookie> {
        self.next_cookie.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

impl RTCRandom for Random {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        match output.len() {
            NONCE => {
                let nonce = self.next_nonce.fetch_add(1, Ordering::Relaxed);
                output.copy_from_slice(&nonce.to_be_bytes());
                Ok(())
            }
            cookie::LEN => match self.next_cookie() {
                Some(cookie) => {
                    output.copy_from_slice(&cookie);
                    Ok(())
                }
                None => RingRandom.fill(output),
            },
            _ => RingRandom.fill(output),
        }
    }
}

impl RTCCryptoProvider for Random {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        &RingCrypto
    }

    fn random(&self) -> &dyn RTCRandom {
        self
    }
}
