"""One boto3 session, its clients, and how AWS's errors become one line.

The only place that turns a target into an endpoint and credentials. Nothing that holds an
:class:`Aws` can tell a local endpoint from the real one.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config as BotoConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from lakectl import __version__, aws_refusals
from lakectl.aws_session import new_session
from lakectl.config import Config
from lakectl.errors import AccessError, LakectlError
from lakectl.findings import Finding
from lakectl.progress import Moved

if TYPE_CHECKING:
    from lakectl.local.control import Endpoint

# 8 attempts of botocore's standard mode (exponential backoff with jitter, at most 20 s each) outlast
# the throttling that creating some forty resources at once causes in a fresh account.
ATTEMPTS = 8
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
MAX_CONNECTIONS = 32
# EventBridge takes about five minutes to begin (S3 user guide, "Enabling Amazon EventBridge"): twice that, and on this
# machine long enough for a schedule or a worker to change something behind our back.
SETTLES_S, SETTLES_HERE_S = 600.0, 30.0

CREDENTIAL_ERRORS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
)
CREDENTIAL_CODES = frozenset(
    ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")
    + ("SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthFailure", "InvalidSignatureException", "InvalidToken")
)
DENIED_CODES = frozenset(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"))
# "User: … is not authorized to perform: s3:TagResource on resource: …" (IAM user guide, "Troubleshoot access denied")
DENIED_ACTION = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")

# Takes what tells a person a line, and what shows so many bytes moving.
Fetch = Callable[[Callable[[str], None], Callable[[str, int], AbstractContextManager[Moved]]], None]

# Endpoints that were started for this process, and what tells why one of them does not answer.
_started: dict[str, Callable[[str, Exception], LakectlError]] = {}


@dataclass(frozen=True)
class AwsCall:
    """A call that has ended. ``code``: AWS's error code, empty for a success. ``error``: the class of the error where
    there was no answer; ``status`` is 0 then. ``seconds`` include the retries."""

    service: str
    operation: str
    seconds: float
    status: int = 0
    request_id: str = ""
    code: str = ""
    error: str = ""


class Aws:
    """Clients of one account and region, each call tried ``attempts`` times. Safe to share between threads.

    ``account`` is asked of STS when it is not given. For people: ``where`` it is, ``environment`` the lakectl command
    whose output points a shell there ("" where the user's own settings do), ``billed`` whether what runs there is paid,
    ``settles_s`` for how long what was written may still read otherwise. ``proxies``: those to use, instead of the
    environment's. ``fetch`` gets what this machine lacks to run jobs there.
    ``lacks`` tells of a feature, by name, why it can't be had there; "" where it can.
    """

    def __init__(
        self,
        session: Any,
        region: str,
        endpoint_url: str | None = None,
        attempts: int = ATTEMPTS,
        account: str | None = None,
        where: str = "",
        environment: str = "",
        billed: bool = True,
        proxies: Mapping[str, str] | None = None,
        fetch: Fetch = lambda *_: None,
        lacks: Callable[[str], str] = lambda _: "",
        settles_s: float = SETTLES_S,
    ) -> None:
        self.session = session
        self.region = region
        self.endpoint_url = endpoint_url
        self.attempts = attempts
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._account = account
        self._where = where
        self.environment = environment
        self.billed = billed
        self._proxies = proxies
        self.fetch = fetch
        self.lacks = lacks
        self.settles_s = settles_s

    def client(self, service: str) -> Any:
        """The boto3 client of ``service`` (made once)."""
        with self._lock:  # creating a client from one session is not thread-safe (boto3 guide, "Session")
            if service not in self._clients:
                self._clients[service] = self.session.client(
                    service,
                    region_name=self.region,
                    endpoint_url=self.endpoint_url,
                    config=BotoConfig(
                        retries={"mode": "standard", "total_max_attempts": self.attempts},
                        proxies=self._proxies,
                        connect_timeout=CONNECT_TIMEOUT_S,
                        read_timeout=READ_TIMEOUT_S,
                        max_pool_connections=MAX_CONNECTIONS,
                        s3={"addressing_style": "path"} if self.endpoint_url else None,
                        # A name of our own: botocore makes up its long one twice for each call, a tenth of its work.
                        user_agent=f"lakectl/{__version__} boto3/{boto3.__version__}",
                    ),
                )
            return self._clients[service]

    def record(self, take: Callable[[AwsCall], None]) -> None:
        """Have ``take`` told of each call of the clients that are made from now on, from the thread that makes it."""
        started: dict[int, float] = {}

        def begun(context: dict[str, Any], **_: Any) -> None:
            started[id(context)] = time.monotonic()

        def answered(context: dict[str, Any], model: Any, http_response: Any, parsed: Any, **_: Any) -> None:
            seconds = time.monotonic() - started.pop(id(context))
            told, service = parsed or {}, model.service_model.service_name
            request_id = told.get("ResponseMetadata", {}).get("RequestId", "")
            code = told.get("Error", {}).get("Code", "")
            take(AwsCall(service, model.name, seconds, http_response.status_code, request_id, code))

        def failed(context: dict[str, Any], exception: Exception, event_name: str, **_: Any) -> None:
            service, _dot, operation = event_name.removeprefix("after-call-error.").partition(".")
            seconds = time.monotonic() - started.pop(id(context))
            take(AwsCall(service, operation, seconds, error=type(exception).__name__))

        events = self.session.events
        events.register("before-call", begun)
        events.register("after-call", answered)
        events.register("after-call-error", failed)

    def watch(self, show: Callable[[str], None]) -> None:
        """Have ``show`` told of each call in words: service, operation, HTTP status and milliseconds, or the class of
        the error."""

        def told(call: AwsCall) -> None:
            name = f"{call.service} {call.operation}"
            show(f"{name}  {call.error}" if call.error else f"{name}  {call.status}  {call.seconds * 1000:,.0f} ms")

        self.record(told)

    @property
    def account(self) -> str:
        """The account id, from STS.

        Raises :class:`AccessError` when there are no usable credentials, :class:`LakectlError`
        when the endpoint can't be reached.
        """
        if self._account is None:
            try:
                self._account = str(self.client("sts").get_caller_identity()["Account"])
            except (ClientError, BotoCoreError) as error:
                raise explain(error) from error
        return self._account

    @property
    def where(self) -> str:
        """Whose AWS it is: "this machine", or the account. Raises as :attr:`account`."""
        return self._where or f"account {self.account}"


def _spark_of(config: Config, folder: Path) -> Callable[[str], str]:
    """Tell the local endpoint of the configuration's Spark; returns what tells what it lacks."""
    from lakectl.local import limits, spark_runtimes

    spark = config.local.spark
    jars = tuple(str(Path(path).expanduser()) for path in spark.jars)
    packages = str(Path(spark.packages).expanduser()) if spark.packages else ""
    settings = spark_runtimes.Settings(jars, packages)
    spark_runtimes.save(settings, folder)
    return lambda feature: limits.lacks(feature, settings)


def is_running(config: Config) -> bool:
    """Whether :func:`connect` would start nothing."""
    if config.target != "local":
        return True
    from lakectl.local import control

    return control.running() is not None


def _fetch_jars(say: Callable[[str], None], transfer: Callable[[str, int], AbstractContextManager[Moved]]) -> None:
    from lakectl.local import jars

    jars.fetch(say, transfer)


def connect(config: Config, progress: Callable[[str], None] | None = None) -> Aws:
    """A session for the config's target. For ``local`` the endpoint is started when it is not running.

    ``progress`` gets a line of text while the local endpoint starts. Raises :class:`AccessError` for
    an unknown profile, and what :mod:`lakectl.local.control` raises when the endpoint can't start.
    """
    if config.target == "local":
        from lakectl.local import control

        endpoint = control.ensure_running(
            region=config.region,
            port=config.local.port,
            idle_minutes=config.local.stop_after_idle_minutes,
            progress=progress,
        )
        return _of_this_machine(endpoint, config)
    try:
        session = boto3.Session(
            profile_name=config.profile,
            region_name=config.region,
            botocore_session=new_session(config.profile),
        )
    except ProfileNotFound as error:
        raise AccessError(str(error), "list yours with: aws configure list-profiles") from None
    return Aws(session, config.region, config.endpoint_url)


@contextmanager
def apart(config: Config, progress: Callable[[str], None] | None = None) -> Iterator[Aws]:
    """As :func:`connect`, for a lake that is to share nothing with the others.

    In an account its name keeps it apart. For ``local`` a server with a state of its own is started, which ends with
    the block, and its state with it. Raises as :func:`connect`.
    """
    if config.target != "local":
        yield connect(config, progress)
        return
    from lakectl.local.apart import endpoint

    with endpoint(config.region, progress) as started:
        yield _of_this_machine(started, config)


def _of_this_machine(endpoint: Endpoint, config: Config) -> Aws:
    from lakectl.local import control

    _started[endpoint.url] = control.silence
    session = boto3.Session(
        aws_access_key_id=endpoint.access_key_id,
        aws_secret_access_key=endpoint.secret_access_key,
        region_name=config.region,
        botocore_session=new_session(isolated=True),
    )
    return Aws(
        session,
        config.region,
        endpoint.url,
        account=endpoint.account_id,
        where="this machine",
        environment="local env",
        billed=False,
        proxies={},
        fetch=_fetch_jars,
        lacks=_spark_of(config, endpoint.state_dir),
        settles_s=SETTLES_HERE_S,
    )


def machine_findings(config: Config) -> list[Finding]:
    """What ``lakectl doctor`` finds of what the target needs of this machine; empty where it runs elsewhere."""
    if config.target != "local":
        return []
    from lakectl.local import doctor

    return doctor.findings(config.local.port, config.glue.worker_type)


def code_of(error: Exception) -> str:
    """AWS's error code (``AccessDenied``, ``NoSuchBucket``), or an empty string."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def _silence(error: BotoCoreError, prefix: str) -> LakectlError:
    """For an endpoint that does not answer."""
    asked = str(error.kwargs.get("endpoint_url", ""))
    for url, explain_silence in reversed(_started.items()):
        if not asked or f"{asked}/".startswith(f"{url}/"):  # an answer that was cut off names no endpoint
            found = explain_silence(url, error)
            found.message = prefix + found.message
            return found
    return LakectlError(f"{prefix}can't reach AWS: {error}", "check the network, --region and --endpoint-url")


def _permission(error: ClientError, tagging: Mapping[str, str]) -> str:
    """Which permission was denied: the one that the message names, or those that the operation needs."""
    named = DENIED_ACTION.search(error.response["Error"].get("Message", ""))
    if named:
        return f"the permission {named[1]}"
    operation = error.operation_name
    also = tagging.get(operation)  # some messages name none: S3's "Access Denied"
    return f"the permissions for {operation}" + (f" and {also}, as it sets tags" if also else "")


def explain(error: Exception, doing: str | None = None, tagging: Mapping[str, str] | None = None) -> LakectlError:
    """The one line for an exception of boto3; ``doing`` is the verb and object ("creating s3-bucket x").

    ``tagging``: operations that set tags -> the permission that they need for them.
    """
    prefix = f"{doing}: " if doing else ""
    if isinstance(error, LakectlError):
        error.message = prefix + error.message
        return error
    if isinstance(error, CREDENTIAL_ERRORS):
        return AccessError(
            f"{prefix}no usable AWS credentials: {error}",
            "run `aws configure` or name a --profile; or leave out --target aws to work on this machine",
        )
    if isinstance(error, NoRegionError):
        return AccessError(f"{prefix}no region", "give one with --region or in the config")
    if isinstance(error, EndpointConnectionError | ConnectionError | HTTPClientError):
        return _silence(error, prefix)
    code = code_of(error)
    if isinstance(error, ClientError):
        message = error.response.get("Error", {}).get("Message", "")
        operation = error.operation_name
        # What was tried before giving up (lakectl.engine.retry).
        waited = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        text = f"{prefix}{operation}: {code}: {message}{waited}"
        if code in CREDENTIAL_CODES:
            again = "the credentials are wrong or expired: log in again (`aws sts get-caller-identity`)"
            region = "; a region that is not enabled for the account answers so, too"
            return AccessError(text, again + (region if code in aws_refusals.UNKNOWN_KEY_CODES else ""))
        if "Insufficient Lake Formation permission" in message:
            return AccessError(text, "lakectl doctor")
        if code.rpartition(".")[2] in DENIED_CODES:  # SQS: AWS.SimpleQueueService.AccessDenied
            return AccessError(text, aws_refusals.denied(message, _permission(error, tagging or {})))
        later = "run the same command again in some minutes, it goes on from here" if waited else None
        return LakectlError(text, aws_refusals.way_out(operation, code, message) or later)
    return LakectlError(f"{prefix}{type(error).__name__}: {error}")
