"""The resources of the OCI stand-in: their fields, as aidp-python-client 5.1.1 and oci 2.189.0 have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUDIT = "createdBy createdByName updatedBy updatedByName"
_PAGED = "limit page sortOrder sortBy"


def _frozen(**names: str) -> Mapping[str, str]:
    return MappingProxyType(names)


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource: which fields its messages have (`*`: required) and what its list can be asked."""

    collection: str
    word: str
    """What it is called in the operations that change it: `CREATE_{word}`."""
    id_field: str
    summary: str
    """The fields of an item of a list; `get` shows all."""
    create: str
    update: str
    state_field: str
    """Where its state of life stands; empty: it has none and is changed at once."""
    equals: Mapping[str, str] = field(default_factory=dict)
    """Query parameter → the field that must equal it, or one of it where it is repeated."""
    contains: Mapping[str, str] = field(default_factory=dict)
    bounds: Mapping[str, str] = field(default_factory=dict)
    """`timeCreatedGreaterThanOrEqualTo` and its sibling → the field."""
    sorts: tuple[str, ...] = ("timeCreated", "displayName")
    query: str = ""
    """Other parameters of the list, which are taken and mean nothing here."""
    get_query: str = ""
    delete_query: str = ""
    actions: Mapping[str, str] = field(default_factory=dict)
    """Action → the state it ends in, or empty where it has a meaning of its own."""

    @property
    def list_query(self) -> str:
        """Every parameter of the list."""
        names = (*self.equals, *self.contains, *self.bounds)
        return " ".join((_PAGED, self.query, *names))


PLATFORMS = Kind(
    collection="aiDataPlatforms",
    word="AI_DATA_PLATFORM",
    id_field="id",
    summary="id displayName compartmentId aiDataPlatformType createdBy timeCreated timeUpdated aliasKey "
    "aiFeatureStatus lifecycleState lifecycleDetails freeformTags definedTags systemTags",
    create="displayName aiDataPlatformType isEnableAiFeature vectorDbId vectorDbAdminCred "
    "vectorDbAdminSecretId compartmentId* defaultWorkspaceName freeformTags definedTags systemTags",
    update="displayName aiDataPlatformType freeformTags definedTags systemTags",
    state_field="lifecycleState",
    equals=_frozen(
        compartmentId="compartmentId", lifecycleState="lifecycleState", displayName="displayName", id="id"
    ),
    query="excludeLifecycleState includeLegacy",
    delete_query="isForceDelete",
    actions=_frozen(changeCompartment="", enableAiFeature=""),
)
WORKSPACES = Kind(
    collection="workspaces",
    word="WORKSPACE",
    id_field="key",
    summary="key displayName type description timeCreated timeUpdated lifecycleState lifecycleDetails "
    f"systemTags {_AUDIT} defaultCatalogKey isPrivateNetworkEnabled aicUserSchemaName",
    create="displayName* description defaultCatalogKey networkConfigurationDetails",
    update="displayName description defaultCatalogKey networkConfigurationDetails",
    state_field="lifecycleState",
    equals=_frozen(
        lifecycleState="lifecycleState",
        displayName="displayName",
        type="type",
        isPrivateNetworkEnabled="isPrivateNetworkEnabled",
    ),
    contains=_frozen(displayNameContains="displayName"),
)
_CLUSTER = (
    "type* displayName{} description driverConfig nodeType workerConfig clusterRuntimeConfig loggingConfig "
    "autoTerminationMinutes subscription"
)
CLUSTERS = Kind(
    collection="clusters",
    word="CLUSTER",
    id_field="key",
    summary=f"key displayName description type timeCreated timeUpdated state stateDetails {_AUDIT} stoppedBy "
    "stoppedByName clusterRuntimeConfig activeClusterResources driverConfig workerConfig replicaConfig "
    "attachedNotebooks attachedSessions attachedAgentCount",
    create=_CLUSTER.format("*") + " attachToNotebookConfig yamlPaths",
    update=_CLUSTER.format(""),
    state_field="state",
    equals=_frozen(state="state", displayName="displayName", type="type"),
    contains=_frozen(displayNameContains="displayName"),
    actions=_frozen(start="ACTIVE", stop="STOPPED", restart="ACTIVE"),
)
_JOB = (
    "runAs name* description schedule continuous maxConcurrentRuns gitConfig queue jobClusters path tasks "
    "parameters timeoutSeconds"
)
JOBS = Kind(
    collection="jobs",
    word="JOB",
    id_field="key",
    summary=f"key {_AUDIT} name path schedule runAs timeCreated timeUpdated clusters jobClusters",
    create=_JOB,
    update=_JOB,
    state_field="",
    equals=_frozen(
        displayName="name", jobKey="key", path="path", createdBy="createdBy", updatedBy="updatedBy"
    ),
    contains=_frozen(displayNameContains="name"),
    sorts=("timeCreated", "displayName", "status"),
    actions=_frozen(cancelJobRuns=""),
)
JOB_RUNS = Kind(
    collection="jobRuns",
    word="JOB_RUN",
    id_field="key",
    summary="key name state jobKey jobName executionDuration launched startTime endTime timeCreated "
    "timeUpdated createdBy createdByName runAs",
    create="key jobKey* originalAttemptRunId schedule parameters queue repairHistory",
    update="",
    state_field="",
    equals=_frozen(displayName="name", jobKey="jobKey", status="state.status"),
    bounds=_frozen(timeCreatedGreaterThanOrEqualTo="timeCreated", timeCreatedLessThanOrEqualTo="timeCreated"),
    sorts=("timeCreated", "displayName", "status"),
    get_query="shouldIncludeTaskRunSummaries repairKey",
    actions=_frozen(cancel=""),
)
BELOW_WORKSPACE = {kind.collection: kind for kind in (CLUSTERS, JOBS, JOB_RUNS)}

WORK_REQUESTS = Kind(
    collection="workRequests",
    word="",
    id_field="id",
    summary="operationType status id compartmentId resources percentComplete timeAccepted timeStarted "
    "timeFinished timeUpdated",
    create="",
    update="",
    state_field="status",
    equals=_frozen(compartmentId="compartmentId", workRequestId="id", status="status"),
    sorts=("timeAccepted",),
    query="resourceId",
)
OPERATIONS = Kind(
    collection="asyncOperations",
    word="",
    id_field="key",
    summary="key resourceType actionType resourceName createdBy createdByName timeStarted timeFinished "
    "status statusDetails resourceDisplayName",
    create="",
    update="",
    state_field="status",
    equals=_frozen(resourceType="resourceType", resourceName="resourceName", status="status"),
    sorts=("timeStarted",),
    query="matchResourceName shouldFilterByCallingPrincipal",
)
