extends SceneTree

const VALID_FROM = "20200101000000"
const VALID_TO = "20600101000000"
const LOCALHOST = "CN=localhost,O=Test,C=DE"

func _init():
	var out = "res://"
	var crypto = Crypto.new()
	var key = crypto.generate_rsa(2048)
	key.save(out + "rsa_2048.key")
	_issue(crypto, key, LOCALHOST, VALID_FROM, VALID_TO, out + "rsa_2048.crt")
	# The same key, and another first day.
	_issue(crypto, key, LOCALHOST, "20210101000000", VALID_TO, out + "rsa_2048_reissued.crt")
	_issue(crypto, key, LOCALHOST, VALID_FROM, "20210101000000", out + "rsa_2048_expired.crt")
	_issue(crypto, key, LOCALHOST, "20590101000000", VALID_TO, out + "rsa_2048_future.crt")
	_issue(crypto, key, "CN=game.example.com,O=Test,C=DE", VALID_FROM, VALID_TO, out + "rsa_2048_named.crt")
	_issue(crypto, key, "CN=*.example.com,O=Test,C=DE", VALID_FROM, VALID_TO, out + "rsa_2048_wildcard.crt")
	var other = crypto.generate_rsa(2048)
	other.save(out + "rsa_2048_other.key")
	_issue(crypto, other, LOCALHOST, VALID_FROM, VALID_TO, out + "rsa_2048_other.crt")
	var long = crypto.generate_rsa(4096)
	long.save(out + "rsa_4096.key")
	_issue(crypto, long, LOCALHOST, VALID_FROM, VALID_TO, out + "rsa_4096.crt")
	var short = crypto.generate_rsa(1024)
	short.save(out + "rsa_1024.key")
	_issue(crypto, short, LOCALHOST, VALID_FROM, VALID_TO, out + "rsa_1024.crt")
	quit()

func _issue(crypto, key, name, from, to, path):
	var certificate = crypto.generate_self_signed_certificate(key, name, from, to)
	certificate.save(path)
