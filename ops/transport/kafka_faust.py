"""Who we are, in Faust's words: from the settings that kafka-python's clients have as well."""

import faust
from faust.types.auth import CredentialsT

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_clients import password, tls_context


def faust_credentials(settings: KafkaSettings) -> CredentialsT | None:
    """For Faust's `broker_credentials`; None is plain text without a name.

    Raises `Refused` when a certificate's file cannot be used.
    """
    context = tls_context(settings) if settings.security == "tls" else None
    if settings.sasl:
        return faust.SASLCredentials(
            username=settings.username,
            password=password(settings),
            ssl_context=context,
            mechanism=settings.sasl,
        )
    return faust.SSLCredentials(context) if context else None
