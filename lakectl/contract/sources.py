"""Where a row's answer was read. One function for each kind of source, the strongest first."""

from __future__ import annotations

KINDS = ("recorded from AWS: ", "verified against AWS: ", "API model: ", "AWS documentation: ", "reported: ")
LOCALSTACK = "https://github.com/localstack/localstack/blob/main/tests/aws/services/"
MOTO = "https://github.com/getmoto/moto/blob/master/tests/"
S3MOCK = "https://github.com/adobe/S3Mock/blob/main/integration-tests/src/test/kotlin/com/adobe/testing/s3mock/its/"


def recorded(file: str, test: str) -> str:
    """LocalStack's tests under ``tests/aws/services``, run against AWS: its answers are in the ``.snapshot.json``."""
    return f"recorded from AWS: {LOCALSTACK}{file} {test}"


def verified(file: str, test: str) -> str:
    """A test of moto marked ``aws_verified``: it passes against AWS too."""
    return f"verified against AWS: {MOTO}{file} {test}"


def model(service: str, *shapes: str) -> str:
    """AWS's own definition of the API, in botocore's ``service-2.json``: operations' and shapes' names."""
    return f"API model: {service} {' '.join(shapes)}"


def page(url: str) -> str:
    return f"AWS documentation: {url}"


def reported(*threads: str) -> str:
    """Issues in which people show what AWS answered, as ``owner/repository#number``."""
    links = [f"https://github.com/{thread.replace('#', '/issues/')}" for thread in threads]
    return f"reported: {' '.join(links)}"


def both(*sources: str) -> str:
    return "; ".join(sources)
