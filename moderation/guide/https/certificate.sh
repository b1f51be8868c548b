#!/bin/sh
# Writes into this folder: ca.pem, which the blog has to trust; site.pem and site.key for nginx.
# The CA can vouch for these names and no others, and its own key is thrown away at the end.
set -eu
umask 077
names='DNS:rest.akismet.com,DNS:*.rest.akismet.com,DNS:commentanalyzer.googleapis.com'
only='permitted;DNS:rest.akismet.com,permitted;DNS:commentanalyzer.googleapis.com'
new='-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650'

# shellcheck disable=SC2086  # options, one by one
openssl req $new -subj '/CN=CA of our comment moderation' -keyout ca.key -out ca.pem \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' \
    -addext "nameConstraints=critical,$only"
# shellcheck disable=SC2086
openssl req $new -subj '/CN=rest.akismet.com' -keyout site.key -out site.pem \
    -CA ca.pem -CAkey ca.key -addext "subjectAltName=$names" \
    -addext 'basicConstraints=critical,CA:FALSE' -addext 'extendedKeyUsage=serverAuth'
rm ca.key
chmod 644 ca.pem
