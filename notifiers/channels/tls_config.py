"""`tls_config:`: whom a connection trusts, and as whom it presents itself."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notifiers.yaml_reader import Section

_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Names of files are relative to the configuration's folder; `ca` is PEM text."""

    ca: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: str = ""


def read_tls(found: Section | None) -> TlsConfig | None:
    """The section, None where it is missing."""
    if found is None:
        return None
    config = TlsConfig(
        ca=found.text("ca") or "",
        ca_file=found.text("ca_file") or "",
        cert_file=found.text("cert_file") or "",
        key_file=found.text("key_file") or "",
        server_name=found.text("server_name") or "",
        insecure_skip_verify=found.boolean("insecure_skip_verify") or False,
        min_version=found.parsed("min_version", _version) or "",
    )
    found.close(frozenset({"cert", "cert_ref", "key", "key_ref", "ca_ref", "max_version"}))
    if config.ca and config.ca_file:
        found.problem("ca", "at most one of ca & ca_file must be configured")
    if bool(config.cert_file) != bool(config.key_file):
        found.problem("cert_file", "cert_file and key_file go together")
    return config


class NamedContext(ssl.SSLContext):
    """A context that checks one name, whatever address the socket was opened to."""

    name: str

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:
        """As the standard library's, for this name."""
        return super().wrap_bio(*args, **{**named, "server_hostname": self.name})


def context(config: TlsConfig, host: str, directory: Path) -> NamedContext:
    """A client's context for a server of this name.

    Raises OSError (also ssl.SSLError) or ValueError for files that cannot be used.
    """
    made = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    made.name = config.server_name or host
    if config.ca_file:
        made.load_verify_locations(directory / config.ca_file)
    elif config.ca:
        made.load_verify_locations(cadata=config.ca)
    else:
        made.load_default_certs()
    if config.cert_file:
        made.load_cert_chain(directory / config.cert_file, directory / config.key_file)
    if config.min_version:
        made.minimum_version = _VERSIONS[config.min_version]
    if config.insecure_skip_verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _version(text: str) -> str:
    if text not in _VERSIONS:
        raise ValueError(f'unknown TLS version "{text[:20]}": one of {", ".join(_VERSIONS)}')
    return text
