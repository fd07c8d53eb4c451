#!/bin/sh
# Makes the keys and certificates of this folder anew, with OpenSSL 3.0. Run in the folder.
set -eu
DAYS=14600

openssl ecparam -name prime256v1 -genkey -out p256_sec1.key
openssl pkcs8 -topk8 -nocrypt -in p256_sec1.key -out p256_pkcs8.key
openssl req -new -x509 -key p256_sec1.key -subj /CN=localhost -days $DAYS -out p256.crt
openssl pkcs8 -topk8 -passout pass:secret -in p256_sec1.key -out p256_encrypted.key
openssl pkey -in p256_sec1.key -pubout -out p256_public.key

openssl ecparam -name secp384r1 -genkey -noout -out p384_sec1.key
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsa_pss.key
openssl genrsa -out rsa_8192.key 8192

openssl genrsa -out rsa_3072_pkcs8.key 3072
openssl req -new -x509 -key rsa_3072_pkcs8.key -subj /CN=localhost -days $DAYS -out rsa_3072.crt
openssl rsa -traditional -aes128 -passout pass:secret -in rsa_3072_pkcs8.key -out rsa_3072_encrypted.key

# Without extensions OpenSSL makes certificates of version 1.
openssl req -new -key p256_sec1.key -subj /CN=localhost -out request.csr
openssl x509 -req -in request.csr -CA rsa_3072.crt -CAkey rsa_3072_pkcs8.key -set_serial 1 -days $DAYS -out v1_leaf.crt
openssl x509 -req -in request.csr -signkey p256_sec1.key -set_serial 2 -days $DAYS -out v1_self_signed.crt
openssl x509 -req -in request.csr -signkey p256_sec1.key -set_serial 3 -days $DAYS -out v1_reissued.crt
rm request.csr
