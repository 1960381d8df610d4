"""An Apache Kafka whose doors differ: plain, TLS, SASL, and one that sends its clients to a host that nobody knows; rights are asked for."""

import subprocess
from pathlib import Path

from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from .kafka import Kafka, KafkaServer
from .procs import free_port

UNKNOWN_HOST = "kafka-7.invalid"  # RFC 2606: never resolves
USER, PASSWORD = "reader", "right-password"


def make_certificates(folder: Path):
    """A CA, and the certificate of 127.0.0.1 with its key as Kafka wants it (PEM)."""

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60, cwd=folder)

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=test-ca")
    openssl("req", *curve, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=127.0.0.1")
    openssl(
        "x509",
        "-req",
        "-in",
        "broker.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "30",
        "-extfile",
        "san",
        "-out",
        "broker.pem",
    )
    (folder / "broker.store.pem").write_text((folder / "broker.key").read_text() + (folder / "broker.pem").read_text())


class Guarded(Kafka):
    """At .address (plaintext) anybody may do anything; .tls, .sasl and .lost are its other doors. USER comes in by SASL, and may do what allow() says."""

    def __init__(self, address: str, ca: str, nowhere: str, **doors):
        super().__init__(address)
        self.ca, self.nowhere = ca, nowhere  # nowhere: what .closed sends its clients to
        self.tls, self.mutual, self.sasl, self.sasl_tls, self.lost, self.closed = (
            doors[name] for name in ("tls", "mutual", "sasl", "sasltls", "lost", "closed")
        )

    def allow(self, kind: ResourceType, name: str, *operations: AclOperation):
        """USER may do this with the topic or group."""
        acls = [
            AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, AclPermissionType.ALLOW)
            for operation in operations
        ]
        for made in self.admin.create_acls(acls, request_timeout=20).values():
            made.result(20)

    def as_user(self, mechanism="PLAIN", password=PASSWORD) -> list:
        """What pintail needs to come in by the SASL door."""
        return [
            "-X",
            "security.protocol=SASL_PLAINTEXT",
            "-X",
            f"sasl.mechanism={mechanism}",
            "-X",
            f"sasl.username={USER}",
            "-X",
            f"sasl.password={password}",
        ]


class GuardedKafka(KafkaServer):
    """The process behind it."""

    def __init__(self, folder: Path):
        certificates = folder / "certificates"
        make_certificates(certificates)
        self.ca = certificates / "ca.pem"
        ports = {name: free_port() for name in ("TLS", "MUTUAL", "SASL", "SASLTLS", "LOST", "CLOSED")}
        self.doors = {name.lower(): f"127.0.0.1:{port}" for name, port in ports.items()}
        plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="{USER}" password="{PASSWORD}" user_{USER}="{PASSWORD}";'
        sasl = {
            f"listener.name.{name}.{key}": value
            for name in ("sasl", "sasltls")
            for key, value in {"sasl.enabled.mechanisms": "PLAIN", "plain.sasl.jaas.config": plain}.items()
        }
        tls = {
            f"listener.name.{name}.{key}": value
            for name in ("tls", "mutual", "sasltls")
            for key, value in {"ssl.keystore.type": "PEM", "ssl.keystore.location": certificates / "broker.store.pem"}.items()
        }
        tls |= {
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.truststore.type": "PEM",
            "listener.name.mutual.ssl.truststore.location": self.ca,
        }
        self.nowhere = f"127.0.0.1:{free_port()}"
        super().__init__(
            folder,
            doors=ports,
            advertised={"LOST": f"{UNKNOWN_HOST}:9092", "CLOSED": self.nowhere},
            protocols={
                "TLS": "SSL",
                "MUTUAL": "SSL",
                "SASL": "SASL_PLAINTEXT",
                "SASLTLS": "SASL_SSL",
                "LOST": "PLAINTEXT",
                "CLOSED": "PLAINTEXT",
            },
            **sasl,
            **tls,
            **{
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
                "early.start.listeners": "CONTROLLER",
            },
        )

    def shared(self) -> dict:
        return {"address": self.address, "ca": str(self.ca), "nowhere": self.nowhere, **self.doors}
