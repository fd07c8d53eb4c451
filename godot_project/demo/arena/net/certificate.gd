## The server's key and certificate: made once, and kept in the user folder.
class_name ArenaCertificate
extends RefCounted

const KEY_PATH := "user://arena_server.key"
const CERTIFICATE_PATH := "user://arena_server.crt"
## The name inside the certificate. Clients ask for it, whatever address the server has.
const HOST_NAME := "arena"


## Puts key and certificate into the server's peer; returns what went wrong, or nothing.
static func use_on_server(peer: NetworkedMultiplayerENet) -> String:
	if not FileAccess.file_exists(KEY_PATH) or not FileAccess.file_exists(CERTIFICATE_PATH):
		var error := _make()
		if error != OK:
			return "The key and the certificate cannot be saved (%s)." % error_string(error)
	var key := CryptoKey.new()
	var certificate := X509Certificate.new()
	if key.load(KEY_PATH) != OK or certificate.load(CERTIFICATE_PATH) != OK:
		return "%s or %s cannot be read." % [path_of_key(), path()]
	peer.use_dtls = true
	peer.set_dtls_key(key)
	peer.set_dtls_certificate(certificate)
	return ""


## Tells the client's peer whom to trust; returns what went wrong, or nothing.
static func use_on_client(
	peer: NetworkedMultiplayerENet, file: String, is_insecure: bool
) -> String:
	peer.use_dtls = true
	if is_insecure:
		# Encrypted, but with anybody. Never ship a game like that.
		peer.dtls_verify = false
		return ""
	var certificate := X509Certificate.new()
	if file == "" or certificate.load(file) != OK:
		return 'Choose the server\'s certificate: "%s" is none.' % file
	peer.dtls_hostname = HOST_NAME
	peer.set_dtls_certificate(certificate)
	return ""


## Where the certificate is. Players of other machines need a copy of it.
static func path() -> String:
	return ProjectSettings.globalize_path(CERTIFICATE_PATH)


static func path_of_key() -> String:
	return ProjectSettings.globalize_path(KEY_PATH)


static func _make() -> Error:
	var crypto := Crypto.new()
	var key := crypto.generate_rsa(2048)
	var certificate := crypto.generate_self_signed_certificate(
		key, "CN=%s,O=Example,C=DE" % HOST_NAME, "20250101000000", "20450101000000"
	)
	var error := key.save(KEY_PATH)
	if error != OK:
		return error
	# The key is the server's secret: nobody else on this machine may read it.
	FileAccess.set_unix_permissions(
		KEY_PATH, FileAccess.UNIX_READ_OWNER | FileAccess.UNIX_WRITE_OWNER
	)
	return certificate.save(CERTIFICATE_PATH)
