"""The form of each text of the configuration: a regular expression, and what an error says of it."""

from __future__ import annotations

_DATE = r"(\d{4}-\d\d-\d\d|NOW([+-]\d+(DAYS|WEEKS|MONTHS|YEARS))?)"

BUCKET = r"^[a-z0-9.{}-]+$"
DATE_RANGE = rf"^{_DATE},{_DATE}$"
ENDPOINT = r"^https?://\S+$"
GLUE_NAME = r"^[a-z0-9_]{1,255}$"
FILE = r"^(~?/).+$"
LAKE = r"^[a-z0-9][a-z0-9-]{0,36}[a-z0-9]$|^[a-z0-9]$"
NOTIFY = r"^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+|[^@\s:]+@[^@\s]+\.[^@\s]+)$"
PREFIX = r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/$"
QUEUE = r"^[A-Za-z0-9_-]{1,80}$"
REGION = r"^[a-z]{2}(-[a-z]+)+-\d$"
RESOURCE = r"^[A-Za-z0-9_.-]{1,64}$"
SCHEDULE = r"^(cron\(\S+( \S+){5}\)|rate\(\d+ \w+\))$"
TABLE = r"^[A-Za-z0-9_.-]{3,255}$"
WORKGROUP = r"^[a-zA-Z0-9._-]{1,128}$"

EXPECTED = {
    BUCKET: "lower-case letters, digits, '.' and '-', such as my-lake-raw-{name}",
    DATE_RANGE: "FIRST,LAST with dates such as 2020-01-01, NOW or NOW+1YEARS (DAYS, WEEKS, MONTHS, YEARS)",
    ENDPOINT: "a URL such as http://127.0.0.1:4566",
    FILE: "an absolute path, or one that begins with ~/",
    GLUE_NAME: "lower-case letters, digits and '_', at most 255",
    LAKE: "lower-case letters, digits and '-', at most 38",
    NOTIFY: "an e-mail address, or the ARN of an SNS topic",
    PREFIX: "a path that ends in '/', such as retail/",
    QUEUE: "letters, digits, '_' and '-', at most 80",
    REGION: "an AWS region such as eu-west-1",
    RESOURCE: "letters, digits, '_', '.' and '-', at most 64",
    SCHEDULE: "cron(min hour day month weekday year) with six fields, or rate(N unit)",
    TABLE: "letters, digits, '_', '.' and '-', 3 to 255",
    WORKGROUP: "letters, digits, '.', '_' and '-', at most 128",
}
