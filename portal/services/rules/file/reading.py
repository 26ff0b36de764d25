"""Reading and writing YAML that people edit: plain values only, and never endless.

Words are read as YAML 1.2 has them: `on`, `no` and `22:00` are text.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from portal.errors import InvalidInput

MOST_BYTES = 512 * 1024
DEEPEST = 20
_PLAIN = {
    "tag:yaml.org,2002:bool": (re.compile(r"^(?:true|false)$"), "tf"),
    "tag:yaml.org,2002:int": (re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$"), "-0123456789"),
    "tag:yaml.org,2002:null": (re.compile(r"^(?:null|~|)$"), ["n", "~", ""]),
}


class _Loader(yaml.SafeLoader):
    """Refuses what repeats by reference, which can make a small file a huge one, and tags, by which
    a word says that it is something else."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # the library's own name for it

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # of its stubs
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refuse("It uses anchors (&, *), which cannot be used here", event.start_mark)
        if getattr(event, "tag", None):
            raise _refuse("It uses tags (!), which cannot be used here", event.start_mark)
        self.depth += 1
        if self.depth > DEEPEST:
            raise _refuse("It is nested too deeply", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Of two equal names one would get lost."""
        names = set()
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refuse("A name must be a word", key.start_mark)
            if key.value in names:
                raise _refuse(f"“{key.value}” stands here twice", key.start_mark)
            names.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """What an escape can write and no database keeps: a NUL, half a character."""
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        if any(each == "\0" or "\ud800" <= each <= "\udfff" for each in text):
            raise _refuse("It has a character that is none", node.start_mark)
        return super().construct_scalar(node)


for _tag, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_tag, _pattern, list(_first))


def read_yaml(content: bytes) -> Any:
    """Raises InvalidInput, with the line."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(f"The file is too large: use at most {MOST_BYTES // 1024} KiB.", "file")
    try:
        loader = _Loader(content.decode("utf-8-sig"))
        return loader.get_single_data()
    except UnicodeDecodeError:
        raise InvalidInput("The file is not text in UTF-8.", field="file") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1})" if mark else ""
        raise InvalidInput(f"The file cannot be read: {error.problem}{where}.", "file") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"The file cannot be read: {error}.", field="file") from None


def write_yaml(value: Any, comment: str) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=100)
    return f"# {comment}\n{text}"


def _refuse(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
