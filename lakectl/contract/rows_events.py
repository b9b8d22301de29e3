"""EventBridge: schedules, patterns, rules, targets, events."""

from __future__ import annotations

from lakectl.contract.sources import both, model, page, recorded
from lakectl.contract.table import ACCOUNT, REGION, Answer, Call, Row, accepted, call, refused

TESTS = "events/test_events.snapshot.json"
RATES = recorded("events/test_events_schedule.py", "TestScheduleRate::test_put_rule_with_invalid_schedule_rate")
CRONS = both(
    recorded("events/test_events_schedule.py", "TestScheduleCron::tests_put_rule_with_invalid_schedule_cron"),
    page("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html"),
)
GOOD_CRONS = recorded(
    "events/test_events_schedule.snapshot.json", "TestScheduleCron::tests_put_rule_with_schedule_cron"
)
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"


def scheduled(expression: str) -> tuple[Call, ...]:
    return (call("events", "put_rule", Name="e-<n>", ScheduleExpression=expression),)


def matching(pattern: str) -> tuple[Call, ...]:
    return (call("events", "put_rule", Name="e-<n>", EventPattern=pattern),)


def targets(*entries: dict[str, str], rule: str = "e-<n>") -> tuple[Call, ...]:
    return (*scheduled("rate(1 day)"), call("events", "put_targets", Rule=rule, Targets=list(entries)))


def event(**changes: str | None) -> tuple[Call, ...]:
    given = {"Source": "a", "DetailType": "b", "Detail": "{}"} | changes
    entry = {name: value for name, value in given.items() if value is not None}
    return (call("events", "put_events", Entries=[entry]),)


def pattern_test(case: str) -> str:
    file = "events/test_events_patterns.snapshot.json"
    return both(recorded(file, f"TestEventPattern::test_event_pattern[{case}]"), model("events", "PutRule"))


def not_taken(code: str, message: str = "") -> Answer:
    words = {"Entries__0__ErrorMessage": message} if message else {}
    return accepted(FailedEntryCount=1, Entries__0__ErrorCode=code, **words)


NOT_VALID = refused("ValidationException", 400, "Parameter ScheduleExpression is not valid.")
NOT_VALID_CRON = refused("ValidationException", 400)


def bad_pattern(reason: str = "") -> Answer:
    return refused(
        "InvalidEventPatternException", 400, f"Event pattern is not valid. Reason: {reason}" if reason else ""
    )


SCHEDULE_ROWS = [
    *(
        Row(f"schedule-{name}", scheduled(expression), NOT_VALID, RATES)
        for name, expression in {
            "rate-10-seconds": "rate(10 seconds)",
            "rate-1-minutes": "rate(1 minutes)",
            "rate-10-minute": "rate(10 minute)",
            "rate-of-nothing": "rate()",
            "rate-without-a-unit": "rate(10)",
            "rate-0": "rate(0 minutes)",
            "rate-below-0": "rate(-10 minutes)",
            "rate-in-capitals": "rate(10 MINUTES)",
            "rate-with-spaces-inside": "rate( 10 minutes )",
            "rate-with-a-space-before": " rate(10 minutes)",
        }.items()
    ),
    Row("schedule-of-both-days", scheduled("cron(0 1 * * * *)"), NOT_VALID_CRON, CRONS),
    Row("schedule-of-no-such-day", scheduled("cron(7 20 * * NOT *)"), NOT_VALID_CRON, CRONS),
    Row("schedule-one-field", scheduled("cron(INVALID)"), NOT_VALID_CRON, CRONS),
    Row("schedule-hour-in-words", scheduled("cron(0 dummy ? * MON-FRI *)"), NOT_VALID_CRON, CRONS),
    Row("schedule-minute-71", scheduled("cron(71 8 1 * ? *)"), NOT_VALID_CRON, CRONS),
    Row("schedule-six-fields", scheduled("cron(0/30 20-23 ? * MON-FRI *)"), accepted(), GOOD_CRONS),
    Row(
        "schedule-on-a-bus-of-ones-own",
        (
            call("events", "create_event_bus", Name="b-<n>"),
            call("events", "put_rule", Name="e-<n>", EventBusName="b-<n>", ScheduleExpression="rate(1 minute)"),
        ),
        refused("ValidationException", 0, "ScheduleExpression is supported only on the default event bus."),
        recorded("events/test_events_schedule.snapshot.json", "tests_put_rule_with_schedule_custom_event_bus"),
    ),
]

PATTERN_ROWS = [
    Row(
        "pattern-no-json",
        matching("{"),
        refused("InvalidEventPatternException"),
        model("events", "PutRule", "InvalidEventPatternException"),
    ),
    Row(
        "pattern-text-not-in-a-list",
        matching('{"string": "my-value"}'),
        bad_pattern('"string" must be an object or an array'),
        pattern_test("string_nolist_EXC"),
    ),
    Row(
        "pattern-number-not-in-a-list",
        matching('{"int": 42}'),
        bad_pattern('"int" must be an object or an array'),
        pattern_test("int_nolist_EXC"),
    ),
    Row(
        "pattern-unknown-comparison",
        matching('{"my_key": [{"EXISTS": true}]}'),
        bad_pattern("Unrecognized match type EXISTS"),
        pattern_test("operator_case_sensitive_EXC"),
    ),
    Row(
        "pattern-unknown-comparison-below",
        matching('{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}'),
        bad_pattern("Unrecognized match type NUMERIC"),
        pattern_test("content_numeric_operatorcasing_EXC"),
    ),
    Row(
        "pattern-empty-list",
        matching('{"resources": []}'),
        bad_pattern("Empty arrays are not allowed"),
        pattern_test("arrays_empty_EXC"),
    ),
]

RULE_ROWS = [
    Row(
        "rule-name-65",
        (call("events", "put_rule", Name="e" * 65, ScheduleExpression="rate(1 day)"),),
        refused("ValidationException", 400, "at 'name' failed to satisfy constraint: Member must have length"),
        both(model("events", "RuleName"), recorded(TESTS, "TestEvents::test_create_connection_validations")),
    ),
    Row(
        "rule-with-targets-deleted",
        (*targets({"Id": "1", "Arn": QUEUE}), call("events", "delete_rule", Name="e-<n>")),
        refused("ValidationException", 0, "Rule can't be deleted since it has targets."),
        recorded(TESTS, "TestEventRule::test_delete_rule_with_targets"),
    ),
    Row(
        "rule-absent",
        (call("events", "describe_rule", Name="absent-<n>"),),
        refused("ResourceNotFoundException", 0, "does not exist on EventBus default."),
        recorded(TESTS, "TestEventRule::test_describe_nonexistent_rule"),
    ),
    Row(
        "targets-of-no-rule",
        targets({"Id": "1", "Arn": QUEUE}, rule="absent-<n>"),
        refused("ResourceNotFoundException"),
        model("events", "PutTargets", "ResourceNotFoundException"),
    ),
    Row(
        "targets-6",
        targets(*({"Id": str(number), "Arn": f"{QUEUE}{number}"} for number in range(6))),
        refused("LimitExceededException", 0, "The requested resource exceeds the maximum number allowed."),
        recorded(TESTS, "TestEventTarget::test_add_exceed_fife_targets_per_rule"),
    ),
    Row(
        "target-id-of-other-letters",
        targets({"Id": "!@#$@!#$", "Arn": QUEUE}),
        refused(
            "ValidationException", 400, "at 'targets.1.member.id' failed to satisfy constraint: Member must satisfy"
        ),
        recorded(TESTS, "TestEventTarget::test_put_target_id_validation"),
    ),
    Row(
        "target-id-65",
        targets({"Id": "i" * 65, "Arn": QUEUE}),
        refused("ValidationException", 400, "Member must have length less than or equal to 64"),
        recorded(TESTS, "TestEventTarget::test_put_target_id_validation"),
    ),
]

ENTRY_ROWS = [
    Row(
        "events-11",
        (call("events", "put_events", Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}] * 11),),
        refused(
            "ValidationException",
            400,
            "at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10",
        ),
        recorded(TESTS, "TestEvents::test_put_events_exceed_limit_ten_entries[default]"),
    ),
    Row(
        "event-of-aws-itself",
        event(Source="aws.s3"),
        not_taken("NotAuthorizedForSourceException"),
        model("events", "PutEventsResultEntry"),
    ),
    Row(
        "event-without-a-source",
        event(Source=None),
        not_taken("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."),
        recorded(TESTS, "TestEvents::test_put_events_without_source"),
    ),
    Row(
        "event-without-a-detail",
        event(Detail=None),
        not_taken("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."),
        recorded(TESTS, "TestEvents::test_put_event_without_detail"),
    ),
    Row(
        "event-without-a-type",
        event(DetailType=None),
        not_taken("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."),
        recorded(TESTS, "TestEvents::test_put_event_without_detail_type"),
    ),
    *(
        Row(
            f"event-detail-{name}",
            event(Detail=detail),
            not_taken("MalformedDetail", "Detail is malformed."),
            recorded(TESTS, f"TestEvents::test_put_event_malformed_detail[{case}]"),
        )
        for name, detail, case in (
            ("no-json", "no", "STRING"),
            ("a-list", '["a"]', "ARRAY"),
            ("a-text", '"a"', "SERIALIZED_STRING"),
            ("half-of-json", '{"a": ', "MALFORMED_JSON"),
        )
    ),
    Row(
        "event-over-1-mb",
        event(Detail='{"a": "' + "x" * 1_100_000 + '"}'),
        refused("ValidationException", 400, "Total size of the entries in the request is over the limit."),
        both(recorded(TESTS, "TestEvents::test_put_event_with_too_big_detail"), model("events", "PutEvents")),
    ),
]

ROWS = [*SCHEDULE_ROWS, *PATTERN_ROWS, *RULE_ROWS, *ENTRY_ROWS]
