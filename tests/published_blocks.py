"""The SQL that is published for Vertex AI's TensorBoard runs, character for character.

`{{ name }}` is to be filled. Comments swallow commas and semicolons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

GET = """SELECT
name,
createTime,
description,
displayName,
etag,
labels,
updateTime
FROM google.aiplatform.runs
WHERE projectsId = '{{ projectsId }}' -- required
AND locationsId = '{{ locationsId }}' -- required
AND tensorboardsId = '{{ tensorboardsId }}' -- required
AND experimentsId = '{{ experimentsId }}' -- required
AND runsId = '{{ runsId }}' -- required;
"""
LIST = """SELECT
nextPageToken,
tensorboardRuns
FROM google.aiplatform.runs
WHERE projectsId = '{{ projectsId }}' -- required
AND locationsId = '{{ locationsId }}' -- required
AND tensorboardsId = '{{ tensorboardsId }}' -- required
AND experimentsId = '{{ experimentsId }}' -- required
AND filter = '{{ filter }}'
AND pageSize = '{{ pageSize }}'
AND pageToken = '{{ pageToken }}'
AND orderBy = '{{ orderBy }}'
AND readMask = '{{ readMask }}';
"""
CREATE = """INSERT INTO google.aiplatform.runs (
data__displayName,
data__description,
data__labels,
data__etag,
projectsId,
locationsId,
tensorboardsId,
experimentsId,
tensorboardRunId
)
SELECT 
'{{ displayName }}',
'{{ description }}',
'{{ labels }}',
'{{ etag }}',
'{{ projectsId }}',
'{{ locationsId }}',
'{{ tensorboardsId }}',
'{{ experimentsId }}',
'{{ tensorboardRunId }}'
RETURNING
name,
createTime,
description,
displayName,
etag,
labels,
updateTime
;
"""
BATCH_CREATE = """INSERT INTO google.aiplatform.runs (
data__requests,
projectsId,
locationsId,
tensorboardsId,
experimentsId
)
SELECT 
'{{ requests }}',
'{{ projectsId }}',
'{{ locationsId }}',
'{{ tensorboardsId }}',
'{{ experimentsId }}'
RETURNING
tensorboardRuns
;
"""
PATCH = """UPDATE google.aiplatform.runs
SET 
data__displayName = '{{ displayName }}',
data__description = '{{ description }}',
data__labels = '{{ labels }}',
data__etag = '{{ etag }}'
WHERE 
projectsId = '{{ projectsId }}' --required
AND locationsId = '{{ locationsId }}' --required
AND tensorboardsId = '{{ tensorboardsId }}' --required
AND experimentsId = '{{ experimentsId }}' --required
AND runsId = '{{ runsId }}' --required
AND updateMask = '{{ updateMask}}'
RETURNING
name,
createTime,
description,
displayName,
etag,
labels,
updateTime;
"""
DELETE = """DELETE FROM google.aiplatform.runs
WHERE projectsId = '{{ projectsId }}' --required
AND locationsId = '{{ locationsId }}' --required
AND tensorboardsId = '{{ tensorboardsId }}' --required
AND experimentsId = '{{ experimentsId }}' --required
AND runsId = '{{ runsId }}' --required;
"""
WRITE = """EXEC google.aiplatform.runs.write 
@projectsId='{{ projectsId }}' --required, 
@locationsId='{{ locationsId }}' --required, 
@tensorboardsId='{{ tensorboardsId }}' --required, 
@experimentsId='{{ experimentsId }}' --required, 
@runsId='{{ runsId }}' --required 
@@json=
'{
"tensorboardRun": "{{ tensorboardRun }}", 
"timeSeriesData": "{{ timeSeriesData }}"
}';
"""


def filled(block: str, filling: Mapping[str, str]) -> str:
    """The block with its placeholders filled."""
    return re.sub(r"\{\{ (\w+) ?\}\}", lambda found: filling[found[1]], block)
