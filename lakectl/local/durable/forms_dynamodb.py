"""The forms of DynamoDB's rows. Items have none: they are as requests have them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.awslambda.models import EventSourceMapping
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import (
    Backup,
    GlobalSecondaryIndex,
    LocalSecondaryIndex,
    ResourcePolicy,
    RestoredPITTable,
    RestoredTable,
    StreamShard,
    Table,
)
from moto.dynamodb.models.table_export import TableExport
from moto.dynamodb.models.table_import import TableImport

from lakectl.local.durable.forms import Codec, Form


class TransferForm(Form):
    """An export or an import is a thread of moto's: what is told of it is kept, and of its table the ARN."""

    def attributes(self, value: Any) -> dict[str, Any]:
        kept = {name: each for name, each in vars(value).items() if not name.startswith("_") and name != "table"}
        return kept | {"table": value.table and value.table.table_arn}

    def make(self, attributes: Any) -> Any:
        arn = attributes["table"]
        return super().make({**attributes, "table": arn and SimpleNamespace(table_arn=arn)})


class AttributesForm(Form):
    """The attributes of an item, as a backup has them: a dictionary."""

    def attributes(self, value: Any) -> dict[str, Any]:
        return {"attributes": dict(value)}

    def make(self, attributes: Any) -> Any:
        return LimitedSizeDict(attributes["attributes"])


_TABLE = (
    "name account_id region_name attr schema range_key_attr hash_key_attr range_key_type hash_key_type "
    "table_key_attrs billing_mode indexes global_indexes created_at items table_arn tags ttl "
    "stream_specification latest_stream_label stream_shard lambda_event_source_mappings "
    "continuous_backups sse_specification deletion_protection_enabled throughput warm_throughput"
)
CODEC = Codec(
    (
        Form(
            "lambda-event-source-mapping",
            EventSourceMapping,
            "region account_id uuid function_name arn starting_position enabled starting_position_timestamp "
            "kafka_config bisect_on_error destination_config document_db_config filter_criteria "
            "function_response_types kms_key max_batch_window max_record_age max_retry_attempts metrics "
            "parallelization_factor poller_config queues scaling_config self_managed_event_source "
            "self_managed_kafka_event_source_config source_access_config tags topics tumbling_window function_arn "
            "last_modified _event_source_arn _batch_size",
        ),
        Form("dynamodb-value", DynamoType, "type value"),
        AttributesForm("dynamodb-attributes", LimitedSizeDict, ""),
        Form("dynamodb-item", Item, "hash_key range_key attrs"),
        Form(
            "dynamodb-local-index",
            LocalSecondaryIndex,
            "name schema table_key_attrs projection schema_key_attrs",
        ),
        Form(
            "dynamodb-global-index",
            GlobalSecondaryIndex,
            "name schema table_key_attrs projection schema_key_attrs status throughput warm_throughput",
        ),
        Form(
            "dynamodb-resource-policy",
            ResourcePolicy,
            "resource_arn policy_doc revision_id",
        ),
        Form(
            "dynamodb-table",
            Table,
            _TABLE,
        ),
        Form(
            "dynamodb-restored-table",
            RestoredTable,
            f"{_TABLE} source_backup_arn source_table_arn restore_date_time",
        ),
        Form(
            "dynamodb-restored-pit-table",
            RestoredPITTable,
            f"{_TABLE} source_table_arn restore_date_time",
        ),
        Form(
            "dynamodb-backup",
            Backup,
            "region_name account_id name table status type creation_date_time identifier",
        ),
        Form(
            "dynamodb-stream-shard",
            StreamShard,
            "account_id id starting_sequence_number created_on",
            without="table items",
            anew=lambda: {"items": []},
        ),
        TransferForm("dynamodb-export", TableExport, ""),
        TransferForm("dynamodb-import", TableImport, ""),
    )
)
