"""The 43 operations of PAI-DLC 2020-12-03 as its SDK has them: paths, and what query and body may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

VERSION = "2020-12-03"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `needed` are the names without which it is refused."""

    action: str
    method: str
    path: str
    query: frozenset[str]
    body: frozenset[str]
    needed: frozenset[str]


def find_operation(method: str, path: str) -> tuple[Operation, Mapping[str, str]] | None:
    """The operation that a request names, and the ids in its path; None where there is none."""
    for operation, pattern in _PATTERNS:
        if operation.method == method and (found := pattern.fullmatch(path)) is not None:
            return operation, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def _operation(action: str, http: str, query: str, body: str) -> Operation:
    """Names are separated by blanks; `*` stands behind one that is needed."""
    method, _, path = http.partition(" ")
    names = [*query.split(), *body.split()]
    return Operation(
        action,
        method,
        path,
        frozenset(name.rstrip("*") for name in query.split()),
        frozenset(name.rstrip("*") for name in body.split()),
        frozenset(name[:-1] for name in names if name.endswith("*")),
    )


OPERATIONS: Mapping[str, Operation] = {
    action: _operation(action, http, query, body)
    for action, http, query, body in (
        (
            "CreateJob",
            "POST /api/v1/jobs",
            "",
            (
                "Accessibility CodeSource CredentialConfig CustomEnvs DataSources DebuggerConfigContent"
                " Description DisplayName* ElasticSpec Envs JobMaxRunningTimeMinutes JobSpecs* JobType*"
                " Options Priority ResourceId SchedulingStrategy Settings SuccessPolicy TemplateId"
                " TemplateVersion ThirdpartyLibDir ThirdpartyLibs UserCommand* UserVpc WorkspaceId"
            ),
        ),
        (
            "CreateJobTemplate",
            "POST /api/v1/jobtemplates",
            "",
            "Constraints Content* Description Metadata TemplateName* WorkspaceId*",
        ),
        (
            "CreateRayHistoryServer",
            "POST /api/v1/rayhistoryservers",
            "",
            ("Accessibility DisplayName* EcsSpec MaxRuntimeMinutes ResourceId StoragePath* WorkspaceId*"),
        ),
        (
            "CreateSignal",
            "POST /api/v1/jobs/{JobId}/signals",
            "",
            "Signal Target",
        ),
        (
            "CreateTensorboard",
            "POST /api/v1/tensorboards",
            "",
            (
                "Accessibility Cpu DataSourceId DataSourceType DataSources DisplayName JobId"
                " MaxRunningTimeMinutes Memory Options Priority QuotaId SourceId SourceType SummaryPath"
                " SummaryRelativePath TensorboardDataSources TensorboardSpec Uri WorkspaceId"
            ),
        ),
        (
            "DeleteJob",
            "DELETE /api/v1/jobs/{JobId}",
            "",
            "",
        ),
        (
            "DeleteJobTemplate",
            "DELETE /api/v1/jobtemplates/{TemplateId}",
            "",
            "",
        ),
        (
            "DeleteRayHistoryServer",
            "DELETE /api/v1/rayhistoryservers/{RayHistoryServerId}",
            "",
            "",
        ),
        (
            "DeleteTensorboard",
            "DELETE /api/v1/tensorboards/{TensorboardId}",
            "WorkspaceId",
            "",
        ),
        (
            "GetDashboard",
            "GET /api/v1/jobs/{JobId}/dashboard",
            "isShared token",
            "",
        ),
        (
            "GetJob",
            "GET /api/v1/jobs/{JobId}",
            "NeedDetail",
            "",
        ),
        (
            "GetJobEvents",
            "GET /api/v1/jobs/{JobId}/events",
            "EndTime MaxEventsNum StartTime",
            "",
        ),
        (
            "GetJobMetrics",
            "GET /api/v1/jobs/{JobId}/metrics",
            "EndTime MetricType* StartTime TimeStep Token",
            "",
        ),
        (
            "GetJobSanityCheckResult",
            "GET /api/v1/jobs/{JobId}/sanitycheckresult",
            "SanityCheckNumber* SanityCheckPhase Token",
            "",
        ),
        (
            "GetJobTemplate",
            "GET /api/v1/jobtemplates/{TemplateId}",
            "Version",
            "",
        ),
        (
            "GetMetrics",
            "GET /api/v1/cms/metrics",
            "Dimensions EndTime JobId Length MetricName Namespace NextToken Period StartTime Token",
            "",
        ),
        (
            "GetPodEvents",
            "GET /api/v1/jobs/{JobId}/pods/{PodId}/events",
            "EndTime MaxEventsNum PodUid StartTime",
            "",
        ),
        (
            "GetPodLogs",
            "GET /api/v1/jobs/{JobId}/pods/{PodId}/logs",
            "Containers DownloadToFile EndTime MaxLines PodUid StartTime",
            "",
        ),
        (
            "GetRayDashboard",
            "GET /api/v1/jobs/{JobId}/rayDashboard",
            "isShared token",
            "",
        ),
        (
            "GetRayHistoryServer",
            "GET /api/v1/rayhistoryservers/{RayHistoryServerId}",
            "",
            "",
        ),
        (
            "GetSignal",
            "GET /api/v1/jobs/{JobId}/signals/{SignalId}",
            "Token",
            "",
        ),
        (
            "GetTensorboard",
            "GET /api/v1/tensorboards/{TensorboardId}",
            "JodId Token WorkspaceId",
            "",
        ),
        (
            "GetTensorboardSharedUrl",
            "GET /api/v1/tensorboards/{TensorboardId}/sharedurl",
            "ExpireTimeSeconds",
            "",
        ),
        (
            "GetToken",
            "GET /api/v1/tokens",
            "ExpireTime TargetId TargetType TokenSettings",
            "",
        ),
        (
            "GetWebTerminal",
            "GET /api/v1/jobs/{JobId}/pods/{PodId}/webterminal",
            "IsShared PodUid",
            "",
        ),
        (
            "ListEcsSpecs",
            "GET /api/v1/ecsspecs",
            "AcceleratorType InstanceTypes Order PageNumber PageSize ResourceType SortBy",
            "",
        ),
        (
            "ListJobSanityCheckResults",
            "GET /api/v1/jobs/{JobId}/sanitycheckresults",
            "Order",
            "",
        ),
        (
            "ListJobTemplates",
            "GET /api/v1/jobtemplates",
            "Description Order PageNumber PageSize SortBy TemplateId TemplateName UserId WorkspaceId*",
            "",
        ),
        (
            "ListJobs",
            "GET /api/v1/jobs",
            (
                "Accessibility BusinessUserId Caller Description DisplayName DisplayNameSearchMode"
                " EnableAssignNode EndTime FromAllWorkspaces ImageSearch JobId JobIds JobType"
                " NumericRangeField NumericRangeMax NumericRangeMin Order OversoldInfo PageNumber PageSize"
                " PaymentType PipelineId ReasonSearch ResourceId ResourceIds ResourceQuotaName ShowOwn"
                " SortBy StartTime Status Tags TemplateId TimeRangeField UserCommandSearch UserIdForFilter"
                " Username WorkspaceId"
            ),
            "",
        ),
        (
            "ListRayHistoryServers",
            "GET /api/v1/rayhistoryservers",
            (
                "DisplayName EndTime IdPrefix ModifiedAfter Order PageNumber PageSize PaymentType"
                " ResourceId ShowOwn SortBy StartTime Status StoragePath UserIdForFilter Username"
                " WorkspaceId"
            ),
            "",
        ),
        (
            "ListSignals",
            "GET /api/v1/jobs/{JobId}/signals",
            "Order PageNumber PageSize SortBy Status Token",
            "",
        ),
        (
            "ListTensorboards",
            "GET /api/v1/tensorboards",
            (
                "Accessibility DisplayName EndTime JobId Order PageNumber PageSize PaymentType QuotaId"
                " ShowOwn SortBy SourceId SourceType StartTime Status TensorboardId UserId Username"
                " Verbose WorkspaceId"
            ),
            "",
        ),
        (
            "SetJobTemplateDefaultVersion",
            "PUT /api/v1/jobtemplates/{TemplateId}/defaultversion",
            "",
            "Version*",
        ),
        (
            "StartRayHistoryServer",
            "POST /api/v1/rayhistoryservers/{RayHistoryServerId}/start",
            "",
            "",
        ),
        (
            "StartTensorboard",
            "PUT /api/v1/tensorboards/{TensorboardId}/start",
            "WorkspaceId",
            "",
        ),
        (
            "StopJob",
            "POST /api/v1/jobs/{JobId}/stop",
            "",
            "",
        ),
        (
            "StopRayHistoryServer",
            "POST /api/v1/rayhistoryservers/{RayHistoryServerId}/stop",
            "",
            "",
        ),
        (
            "StopTensorboard",
            "PUT /api/v1/tensorboards/{TensorboardId}/stop",
            "WorkspaceId",
            "",
        ),
        (
            "TagResources",
            "POST /api/v1/tags",
            "",
            "RegionId* ResourceId* ResourceType* Tag",
        ),
        (
            "UntagResources",
            "DELETE /api/v1/tags",
            "All ResourceId* ResourceType* TagKey",
            "",
        ),
        (
            "UpdateJob",
            "PUT /api/v1/jobs/{JobId}",
            "",
            "Accessibility Description JobSpecs Priority UserCommand",
        ),
        (
            "UpdateJobTemplate",
            "PUT /api/v1/jobtemplates/{TemplateId}",
            "",
            "Constraints Content Description Metadata SetAsDefault TemplateName version",
        ),
        (
            "UpdateTensorboard",
            "PUT /api/v1/tensorboards/{TensorboardId}",
            "Accessibility MaxRunningTimeMinutes Priority WorkspaceId",
            "",
        ),
    )
}
"""By action."""

_PATTERNS = [
    (operation, re.compile(_PLACEHOLDER.sub(r"(?P<\1>[^/]+)", operation.path)))
    for operation in OPERATIONS.values()
]
