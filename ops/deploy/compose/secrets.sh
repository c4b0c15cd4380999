#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, where there are none yet.
#
# Compose mounts a secret as the file that it is, so the containers' user has to be able to read
# it: the files are readable, and the directory around them is what keeps others of this host out.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
for name in console_token clickhouse_password analyst_password; do
    if [ ! -s "secrets/$name" ]; then
        od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$name"
        chmod 644 "secrets/$name"
        echo "secrets/$name: made"
    fi
done
