//! DTLS 1.2 for the datagrams of one host, as a layer between the codec and the socket.
#![forbid(unsafe_code)]
