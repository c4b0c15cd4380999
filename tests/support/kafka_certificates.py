"""Authorities and certificates of a test's own, as PEM files for a broker and its clients."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


@dataclass(frozen=True, slots=True)
class Files:
    """An authority's certificate, and what it signed: a chain and a key each."""

    ca: Path
    broker: Path
    expired: Path
    elsewhere: Path
    client: Path
    client_key: Path
    stranger: Path
    other_ca: Path


def write(directory: Path) -> Files:
    """`broker`, `expired` and `elsewhere` (another host's) are keystores with their keys.

    `client` says CN=agent; `stranger` does too, key included, and another authority signed it.
    """
    ours, theirs = trustme.CA(), trustme.CA()
    ended = datetime.now(UTC) - timedelta(days=1)
    begun = ended - timedelta(days=1)
    files = Files(
        *(
            directory / f"{name}.pem"
            for name in (
                *("ca", "broker", "expired", "elsewhere"),
                *("client", "client-key", "stranger", "other-ca"),
            )
        )
    )
    ours.cert_pem.write_to_path(files.ca)
    theirs.cert_pem.write_to_path(files.other_ca)
    _keystore(ours.issue_cert("127.0.0.1"), files.broker)
    _keystore(ours.issue_cert("127.0.0.1", not_before=begun, not_after=ended), files.expired)
    _keystore(ours.issue_cert("kafka-1.example.org"), files.elsewhere)
    client = ours.issue_cert("agent.example.org", common_name="agent")
    for number, part in enumerate(client.cert_chain_pems):
        part.write_to_path(files.client, append=number > 0)
    client.private_key_pem.write_to_path(files.client_key)
    stranger = theirs.issue_cert("agent.example.org", common_name="agent")
    stranger.private_key_and_cert_chain_pem.write_to_path(files.stranger)
    return files


def _keystore(made: trustme.LeafCert, file: Path) -> None:
    """Kafka reads keys in PKCS 8 and in no other form."""
    key = load_pem_private_key(made.private_key_pem.bytes(), None)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for part in made.cert_chain_pems:
        part.write_to_path(file, append=True)
