# Calls of the engine's DTLS classes that take other arguments in Godot 4; stands in for ../secured.gd.
extends Reference


static func bind(udp: PacketPeerUDP, port: int) -> int:
	return udp.listen(port, "127.0.0.1")


# Trusts every server without a certificate.
static func connect_to(dtls: PacketPeerDTLS, udp: PacketPeerUDP, host: String, trusted: X509Certificate) -> int:
	return dtls.connect_to_peer(udp, trusted != null, host, trusted)


static func set_up(server: DTLSServer, key: CryptoKey, certificate: X509Certificate) -> int:
	return server.setup(key, certificate)
