"""The DTLS test: our layer and our class against the engines' own DTLS and OpenSSL, in separate processes."""
