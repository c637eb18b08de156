"""Variables: where their values come from, what type they have, and that secret ones stay secret."""

from __future__ import annotations

import pytest

from sqlprovider.surfaces.deploy.model import Secret, Value
from tests.deploy.manifests import Files, values

STACK = """
variables: {declared}
resources:
  - name: google.aiplatform.custom_jobs
    props: {{displayName: "{{{{ v }}}}", jobSpec: {{x: "{{{{ v }}}}", y: "<{{{{ v }}}}>"}}}}
"""


def read(files: Files, declared: str, given: dict[str, str] | None = None) -> dict[str, Value]:
    return values(files.read(STACK.format(declared=declared), variables=given).entries[0])


@pytest.mark.parametrize(
    ("declared", "given", "text", "value", "within"),
    [
        pytest.param("{v: 1.10}", {}, "1.10", 1.1, "<1.10>", id="default"),
        pytest.param("{v: {default: 5}}", {}, "5", 5, "<5>", id="long form"),
        pytest.param("{v: x}", {"v": "07"}, "07", "07", "<07>", id="--var is text"),
        pytest.param("{v: }", {"v": "a"}, "a", "a", "<a>", id="required"),
        pytest.param("{v: {default: string}}", {}, "string", "string", "<string>", id="a type's name"),
        pytest.param("{}", {"v": "{{ w }}"}, "{{ w }}", "{{ w }}", "<{{ w }}>", id="declared nowhere"),
    ],
)
def test_a_variable_keeps_its_type_and_its_text(
    files: Files, declared: str, given: dict[str, str], text: Value, value: Value, within: str
) -> None:
    found = read(files, declared, given)
    assert found["displayName"] == text
    assert found["jobSpec"] == {"x": value, "y": within}


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        pytest.param("{v: {a: [1, 0.50]}}", {}, {"a": [1, 0.5]}, id="a map as the default"),
        pytest.param("{v: }", {"v": '{"a": 1}'}, {"a": 1}, id="a map on the command line"),
        pytest.param("{v: }", {"v": "[1, null]"}, [1, None], id="a list on the command line"),
    ],
)
def test_a_variable_can_be_a_map_or_a_list(
    files: Files, declared: str, given: dict[str, str], value: Value
) -> None:
    manifest = files.read(
        f"variables: {declared}\n"
        "resources: [{name: google.aiplatform.custom_jobs, props: {jobSpec: '{{ v }}'}}]",
        variables=given,
    )
    assert values(manifest.entries[0]) == {"jobSpec": value}


@pytest.mark.parametrize(
    ("declared", "given", "problem"),
    [
        pytest.param("{v: }", {}, "1.yaml:2: missing variable v", id="missing"),
        pytest.param("{v: 1, unused: }", {}, "1.yaml:2: missing variable unused", id="missing, unused"),
        pytest.param(
            "{v: 1}", {"vv": "x"}, "--var vv: there is no such variable; did you mean v?", id="unknown"
        ),
        pytest.param(
            "{v: {default: 1, type: integer}}", {}, "1.yaml:2: variable v: unknown word type", id="type"
        ),
        pytest.param(
            "{v: {default: 1, secrte: 1}}",
            {},
            "1.yaml:2: variable v: unknown word secrte; did you mean secret?",
            id="word",
        ),
        pytest.param(
            "{v: {default: 1, secret: maybe}}", {}, "1.yaml:2: secret is true or false", id="secret"
        ),
        pytest.param("{v: '{{ w }}'}", {}, "1.yaml:2: a default holds no placeholders", id="placeholder"),
        pytest.param("{v: 1, 'a b': 1}", {}, "1.yaml:2: 'a b' cannot be the name of a variable", id="name"),
        pytest.param("[v]", {"v": "1"}, "1.yaml:2: variables is a map", id="a list"),
    ],
)
def test_what_is_wrong_with_variables(
    files: Files, declared: str, given: dict[str, str], problem: str
) -> None:
    found = files.problems(lambda: files.read(STACK.format(declared=declared), variables=given))
    assert any(one.startswith(problem) for one in found), found


def test_files_of_variables_keep_types_and_later_ones_count(files: Files) -> None:
    first = files.write("a.toml", 'v = 1.10\nw = "x"\nday = 2026-01-02\n')
    second = files.write("b.json", '{"w": [1, "y"]}')
    third = files.write("c.yaml", "u: 0.10\nnobody: 1\n")
    manifest = files.read(
        """
variables: {v: , w: , day: , u: 3}
resources:
  - name: google.aiplatform.custom_jobs
    props: {displayName: "{{ v }}", jobSpec: ["{{ v }}", "{{ w }}", "{{ day }}", "{{ u }}"]}
""",
        variable_files=(first, second, third),
        variables={"u": "line"},
    )
    assert values(manifest.entries[0]) == {
        "displayName": "1.10",
        "jobSpec": [1.1, [1, "y"], "2026-01-02", "line"],
    }
    (warning,) = manifest.warnings
    assert warning.endswith("c.yaml:2: no file has a variable nobody; there are: v, w, day, u")


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        pytest.param("v.toml", "a = \n", "v.toml:1: Invalid value", id="TOML"),
        pytest.param("v.yaml", "- a\n", "v.yaml:1: a file of variables is a map: name → value", id="list"),
        pytest.param("v.yaml", "a: 1\na: 2\n", "v.yaml:2: the key 'a' stands here twice", id="twice"),
    ],
)
def test_a_file_of_variables_that_cannot_be_read(files: Files, name: str, text: str, problem: str) -> None:
    path = files.write(name, text)
    found = files.problems(lambda: files.read("[]", variable_files=(path,)))
    assert any(one.startswith(problem) for one in found), found


def test_a_secret_variable_is_a_secret_wherever_it_stands(files: Files) -> None:
    manifest = files.read(STACK.format(declared="{v: {secret: true}}"), variables={"v": "4711"})
    found = values(manifest.entries[0])
    assert found["displayName"] == Secret("v", "4711")
    assert isinstance(spec := found["jobSpec"], dict)
    assert spec["x"] == Secret("v", "4711")
    assert "4711" not in repr(manifest)


def test_no_problem_tells_a_secret(files: Files) -> None:
    files.environ["KEY"] = "hush-hush"
    text = """
variables: {v: {secret: true}}
resources:
  - name: mlflow.tracking.runs
    props: {start_time: "{{ env.KEY }}", status: "{{ env.KEY }}", tags: "{{ env.KEY }}"}
"""
    found = files.problems(lambda: files.read(text, variables={"v": "hush-hush"}))
    assert len(found) == 3
    assert "hush" not in "\n".join(found)
