## Calls of the engine's DTLS classes that take other arguments in Godot 3.6, for which
## godot3/secured.gd stands in.
extends RefCounted


static func bind(udp: PacketPeerUDP, port: int) -> int:
	return udp.bind(port, "127.0.0.1")


## Trusts every server without a certificate.
static func connect_to(
	dtls: PacketPeerDTLS, udp: PacketPeerUDP, host: String, trusted: X509Certificate
) -> int:
	var options := TLSOptions.client_unsafe()
	if trusted != null:
		options = TLSOptions.client(trusted)
	return dtls.connect_to_peer(udp, host, options)


static func set_up(server: DTLSServer, key: CryptoKey, certificate: X509Certificate) -> int:
	return server.setup(TLSOptions.server(key, certificate))
