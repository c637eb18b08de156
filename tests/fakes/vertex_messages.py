"""The messages of Vertex AI's TensorBoard service and the four collections they live in."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.proto_json import (
    BOOL,
    BYTES,
    DOUBLE,
    INT32,
    INT64,
    STRING,
    TEXT_MAP,
    TIMESTAMP,
    Enumeration,
    Message,
    Repeated,
)

VALUE_TYPE = Enumeration(("VALUE_TYPE_UNSPECIFIED", "SCALAR", "TENSOR", "BLOB_SEQUENCE"))

TENSORBOARD = Message(
    "Tensorboard",
    {
        "name": STRING,
        "displayName": STRING,
        "description": STRING,
        "encryptionSpec": Message("EncryptionSpec", {"kmsKeyName": STRING}),
        "blobStoragePathPrefix": STRING,
        "runCount": INT32,
        "createTime": TIMESTAMP,
        "updateTime": TIMESTAMP,
        "labels": TEXT_MAP,
        "etag": STRING,
        "isDefault": BOOL,
        "satisfiesPzs": BOOL,
        "satisfiesPzi": BOOL,
    },
)
EXPERIMENT = Message(
    "TensorboardExperiment",
    {
        "name": STRING,
        "displayName": STRING,
        "description": STRING,
        "createTime": TIMESTAMP,
        "updateTime": TIMESTAMP,
        "labels": TEXT_MAP,
        "etag": STRING,
        "source": STRING,
    },
)
RUN = Message(
    "TensorboardRun",
    {
        "name": STRING,
        "displayName": STRING,
        "description": STRING,
        "createTime": TIMESTAMP,
        "updateTime": TIMESTAMP,
        "labels": TEXT_MAP,
        "etag": STRING,
    },
)
TIME_SERIES = Message(
    "TensorboardTimeSeries",
    {
        "name": STRING,
        "displayName": STRING,
        "description": STRING,
        "valueType": VALUE_TYPE,
        "createTime": TIMESTAMP,
        "updateTime": TIMESTAMP,
        "etag": STRING,
        "pluginName": STRING,
        "pluginData": BYTES,
        "metadata": Message(
            "Metadata", {"maxStep": INT64, "maxWallTime": TIMESTAMP, "maxBlobSequenceLength": INT64}
        ),
    },
)
BLOB = Message("TensorboardBlob", {"id": STRING, "data": BYTES})
POINT = Message(
    "TimeSeriesDataPoint",
    {
        "wallTime": TIMESTAMP,
        "step": INT64,
        "scalar": Message("Scalar", {"value": DOUBLE}),
        "tensor": Message("TensorboardTensor", {"value": BYTES, "versionNumber": INT32}),
        "blobs": Message("TensorboardBlobSequence", {"values": Repeated(BLOB)}),
    },
)
TIME_SERIES_DATA = Message(
    "TimeSeriesData",
    {"tensorboardTimeSeriesId": STRING, "valueType": VALUE_TYPE, "values": Repeated(POINT)},
)
WRITE_RUN = Message(
    "WriteTensorboardRunDataRequest",
    {"tensorboardRun": STRING, "timeSeriesData": Repeated(TIME_SERIES_DATA)},
)
WRITE_EXPERIMENT = Message(
    "WriteTensorboardExperimentDataRequest",
    {"tensorboardExperiment": STRING, "writeRunDataRequests": Repeated(WRITE_RUN)},
)
BATCH_CREATE_RUNS = Message(
    "BatchCreateTensorboardRunsRequest",
    {
        "requests": Repeated(
            Message(
                "CreateTensorboardRunRequest",
                {"parent": STRING, "tensorboardRun": RUN, "tensorboardRunId": STRING},
            )
        )
    },
)
BATCH_CREATE_TIME_SERIES = Message(
    "BatchCreateTensorboardTimeSeriesRequest",
    {
        "requests": Repeated(
            Message(
                "CreateTensorboardTimeSeriesRequest",
                {
                    "parent": STRING,
                    "tensorboardTimeSeriesId": STRING,
                    "tensorboardTimeSeries": TIME_SERIES,
                },
            )
        )
    },
)
EXPORT = Message(
    "ExportTensorboardTimeSeriesDataRequest",
    {
        "tensorboardTimeSeries": STRING,
        "filter": STRING,
        "pageSize": INT32,
        "pageToken": STRING,
        "orderBy": STRING,
    },
)
# Answers whose items hold an enum, for `enum-encoding=int`.
TIME_SERIES_LIST = Message(
    "ListTensorboardTimeSeriesResponse", {"tensorboardTimeSeries": Repeated(TIME_SERIES)}
)
READ = Message("ReadTensorboardTimeSeriesDataResponse", {"timeSeriesData": TIME_SERIES_DATA})
BATCH_READ = Message(
    "BatchReadTensorboardTimeSeriesDataResponse", {"timeSeriesData": Repeated(TIME_SERIES_DATA)}
)


@dataclass(frozen=True, slots=True)
class Collection:
    """One level of the tree. Fields that are neither mutable nor immutable are the server's own."""

    name: str
    message: Message
    rows: str
    """The key of the items in a list's answer."""
    mutable: frozenset[str]
    immutable: frozenset[str] = frozenset()
    """May be given on creation only."""
    required: tuple[str, ...] = ("displayName",)
    id_parameter: str | None = None
    id_pattern: str = r"[0-9]+"
    id_required: bool = False
    unique_name: bool = False
    """Whether `displayName` is unique among siblings."""
    page_default: int = 50
    page_max: int = 1000
    operations: bool = False
    """Whether create and patch answer with an operation; delete always does."""


COLLECTIONS = {
    collection.name: collection
    for collection in (
        Collection(
            "tensorboards",
            TENSORBOARD,
            "tensorboards",
            mutable=frozenset({"displayName", "description", "labels", "isDefault"}),
            immutable=frozenset({"encryptionSpec"}),
            page_default=100,
            page_max=100,
            operations=True,
        ),
        Collection(
            "experiments",
            EXPERIMENT,
            "tensorboardExperiments",
            mutable=frozenset({"displayName", "description", "labels"}),
            immutable=frozenset({"source"}),
            required=(),
            id_parameter="tensorboardExperimentId",
            id_pattern=r"[a-z0-9-]{1,128}",
            id_required=True,
        ),
        Collection(
            "runs",
            RUN,
            "tensorboardRuns",
            mutable=frozenset({"displayName", "description", "labels"}),
            id_parameter="tensorboardRunId",
            id_pattern=r"[a-z0-9-]{1,128}",
            id_required=True,
            unique_name=True,
        ),
        Collection(
            "timeSeries",
            TIME_SERIES,
            "tensorboardTimeSeries",
            mutable=frozenset({"displayName", "description", "pluginData"}),
            immutable=frozenset({"valueType", "pluginName"}),
            required=("displayName", "valueType"),
            id_parameter="tensorboardTimeSeriesId",
            id_pattern=r"[a-z0-9][a-z0-9-]{0,127}",
            unique_name=True,
        ),
    )
}
CHAIN = ("projects", "locations", *COLLECTIONS)
"""The collections from the root down, as they follow each other in a name."""
