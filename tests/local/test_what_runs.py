"""Operations that are said to run, of services that no lake uses: each has its effect."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]


def test_kms_encrypts_and_signs(client: Client) -> None:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    secret = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    assert b"text" not in secret
    assert kms.decrypt(CiphertextBlob=secret)["Plaintext"] == b"text"
    pair = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=pair["CiphertextBlob"])["Plaintext"] == pair["Plaintext"]


def test_a_secret_has_versions(client: Client, unique: str) -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(Name=unique, SecretString="first")
    secrets.put_secret_value(SecretId=unique, SecretString="second")
    assert secrets.get_secret_value(SecretId=unique)["SecretString"] == "second"
    assert secrets.get_secret_value(SecretId=unique, VersionStage="AWSPREVIOUS")["SecretString"] == "first"
    secrets.delete_secret(SecretId=unique)
    with pytest.raises(ClientError, match="InvalidRequestException"):
        secrets.get_secret_value(SecretId=unique)


def test_a_parameter_is_found_by_its_path(client: Client, unique: str) -> None:
    ssm = client("ssm")
    for number in (1, 2):
        ssm.put_parameter(Name=f"/{unique}/a", Value=str(number), Type="String", Overwrite=True)
    (found,) = ssm.get_parameters_by_path(Path=f"/{unique}")["Parameters"]
    assert (found["Value"], found["Version"]) == ("2", 2)
    assert [each["Value"] for each in ssm.get_parameter_history(Name=f"/{unique}/a")["Parameters"]] == ["1", "2"]
    ssm.delete_parameter(Name=f"/{unique}/a")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name=f"/{unique}/a")


def test_a_backup_holds_what_the_table_held(client: Client, unique: str) -> None:
    dynamodb = client("dynamodb")
    key = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
    key["AttributeDefinitions"] = [{"AttributeName": "id", "AttributeType": "S"}]
    dynamodb.create_table(TableName=unique, BillingMode="PAY_PER_REQUEST", **key)
    dynamodb.put_item(TableName=unique, Item={"id": {"S": "a"}})
    arn = dynamodb.create_backup(TableName=unique, BackupName="backup")["BackupDetails"]["BackupArn"]
    dynamodb.delete_item(TableName=unique, Key={"id": {"S": "a"}})
    dynamodb.restore_table_from_backup(TargetTableName=f"{unique}-again", BackupArn=arn)
    assert dynamodb.scan(TableName=f"{unique}-again")["Items"] == [{"id": {"S": "a"}}]


def test_a_policy_of_a_group_counts_for_its_users(client: Client, endpoint: Any, unique: str) -> None:
    import boto3

    iam = client("iam")
    iam.create_user(UserName=unique)
    iam.create_group(GroupName=unique)
    statement = '{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}'
    document = f'{{"Version": "2012-10-17", "Statement": [{statement}]}}'
    iam.put_group_policy(GroupName=unique, PolicyName="p", PolicyDocument=document)
    keys = iam.create_access_key(UserName=unique)["AccessKey"]
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_buckets()
    iam.add_user_to_group(GroupName=unique, UserName=unique)
    assert "Buckets" in s3.list_buckets()
    iam.remove_user_from_group(GroupName=unique, UserName=unique)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_buckets()


def test_events_are_gone_when_their_retention_is_over(client: Client, unique: str) -> None:
    logs, now = client("logs"), int(time.time() * 1000)
    group, stream = f"/what-runs/{unique}", {"logGroupName": f"/what-runs/{unique}", "logStreamName": "s"}
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(**stream)
    old, new = now - 5 * 86_400_000, now
    events = [{"timestamp": when, "message": str(when)} for when in (old, new)]
    logs.put_log_events(logEvents=events, **stream)
    assert len(logs.get_log_events(**stream)["events"]) == 2
    logs.put_retention_policy(logGroupName=group, retentionInDays=3)
    assert [each["message"] for each in logs.get_log_events(**stream)["events"]] == [str(new)]
    assert [each["message"] for each in logs.filter_log_events(logGroupName=group)["events"]] == [str(new)]
    logs.delete_log_group(logGroupName=group)
