"""What the name of a piece of software says: its product, and its version.

Installers write versions, architectures and languages into names. They are taken out only where it
is plain what they are: two products that became one would hide each other. So a bare number stays
(Sage 50, Sage 200), and a year does (Office 2016, Office 2019).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from portal.company_names import fold_company

_ARCHITECTURE = (
    r"(?:(?:x|win)?(?:32|64)[-_ ]?bits?|x86[-_]64|x64|x86|amd64|arm64|aarch64|i[3-6]86"
    r"|win(?:32|64))"
)
_CODE = (
    "ar|bg|ca|cs|da|de|el|en|es|et|fi|fr|he|hr|hu|id|it|ja|ko|lt|lv|nb|nl|no|pl|pt|ro|ru|sk|sl|sr"
    "|sv|th|tr|uk|vi|zh"
)
_LANGUAGE = (
    rf"(?:(?:{_CODE})[-_][a-z]{{2,4}}|multilingual|multi-language|mui|all languages"
    r"|english|german|french|spanish|italian|dutch|polish|portuguese|czech|danish|swedish|finnish"
    r"|norwegian|hungarian|turkish|russian|japanese|korean|chinese|deutsch|français|español"
    r"|italiano|nederlands|polski|português|čeština|dansk|svenska|suomi|norsk|magyar|türkçe"
    r"|русский|日本語|한국어|中文)"
)
_VERSION_WORD = r"(?:version|ver\.?|v\.?|build|release|rev\.?|revision|patch)"
_DOTTED = r"v?\d+\.\d[-+~.\w]*"
_DATE = r"\d{1,2}/\d{1,2}/\d{4}"
_IN_THEM = (
    rf"{_ARCHITECTURE}|{_LANGUAGE}|{_CODE}|{_VERSION_WORD}\s*\d[\w.\-]*|{_DOTTED}|{_DATE}"
    r"|edition|user|machine"
)

_MARKS = re.compile(r"[®™©℠]|\((?:r|tm|c)\)", re.IGNORECASE)
_ONE_OF_THEM = rf"(?>(?:{_IN_THEM})(?=[\s,;/)\]]))"
_IN_BRACKETS = re.compile(
    rf"\s*[(\[]\s*{_ONE_OF_THEM}(?:[\s,;/]+{_ONE_OF_THEM})*+\s*[)\]]", re.IGNORECASE
)
"""Brackets that hold nothing else. Each of many is read in one way: names come from computers that
nobody trusts, and `v1.1` can be read in two."""
_WORD = r"(?<![\w.+#])"
_WORD_ENDS = r"(?![\w+#])"
_ANYWHERE = re.compile(rf"{_WORD}{_ARCHITECTURE}(?:\s+edition)?{_WORD_ENDS}", re.IGNORECASE)
_NAMED_VERSION = re.compile(rf"(?<=\s){_VERSION_WORD}\s*(\d[\w.\-]*){_WORD_ENDS}", re.IGNORECASE)
_VERSION = re.compile(rf"(?<=[\s\-(])({_DOTTED}){_WORD_ENDS}", re.IGNORECASE)
_UPDATE = re.compile(rf"(?<=\d)\s+\(?update\s+\d+\)?{_WORD_ENDS}", re.IGNORECASE)
_LAST_LANGUAGE = re.compile(
    rf"(?:\s[-–]\s*(?:{_LANGUAGE}|{_CODE})|\s+(?:mui|multilingual))$", re.IGNORECASE
)
_LOOSE_ENDS = re.compile(r"[\s\-–—,;:_/|]+$")
_STANDARD = re.compile(
    r"(?:usb|hdmi|bluetooth|tls|ssl|http|https|opengl|opencl|vulkan|pci|pcie|sata|nvme|directx|wpa"
    r"|thunderbolt|displayport|wi-?fi|for|with|on|to|from|und|and|für|pour|para)$",
    re.IGNORECASE,
)
"""Words whose number is that of a standard, or of what the software is for."""
_NO_VERSION = re.compile(
    r"802\.\d.*|\d+(?:\.\d+)+(?:[kmg]?hz|[kmgt]b|gbe?|gbit|mm|cm|inch|x)", re.IGNORECASE
)
_OF_WINDOWS = frozenset({"3.1", "3.11", "8.1"})
_LONE_NUMBER = re.compile(r"\s+(\d{1,4})$")
_NUMBERED = frozenset(
    {
        *("teamviewer", "teamviewer host", "powershell", "zotero", "anydesk", "citrix workspace"),
        *("filemaker pro", "snagit", "camtasia", "ultravnc", "libreoffice", "winscp", "itunes"),
        *("google earth pro", "evernote", "skype", "dropbox", "vlc media player", "opera stable"),
    }
)
"""Products whose lone number is their version, though a lone number mostly is part of a name."""
_SITE = re.compile(r"[\s,(\-]*\b(?:https?://|www\.)\S+", re.IGNORECASE)
_ALSO_KNOWN_AS = {
    "adobe systems": "adobe",
    "hewlett packard": "hp",
    "oracle america": "oracle",
    "microsoft corporations": "microsoft",
    "google cloud": "google",
    "zoom": "zoom video communications",
    "mozilla foundation": "mozilla",
    "dell technologies": "dell",
    "lenovo group": "lenovo",
    "intel r": "intel",
    "nvidia r": "nvidia",
}
"""Words of a publisher -> those that it uses as a rule."""


LONGEST_KEY = 300
"""Characters: an index entry of PostgreSQL holds 2,700 bytes."""


@dataclass(frozen=True, slots=True)
class ProductName:
    """`key` is the same for all names of one product. `version` is what the name says of it;
    empty where it says nothing."""

    name: str
    key: str
    version: str


def name_product(name: str) -> ProductName:
    """Of the name as an installer writes it. Never fails, and never leaves nothing."""
    told = " ".join(_MARKS.sub(" ", unicodedata.normalize("NFKC", name)).split())
    rest, versions = _without_versions(_ANYWHERE.sub(" ", _IN_BRACKETS.sub(_keep_version, told)))
    rest = _tidy(rest)
    rest = _tidy(_LAST_LANGUAGE.sub("", rest))
    lone = _LONE_NUMBER.search(rest)
    if lone and rest[: lone.start()].casefold() in _NUMBERED:
        rest, versions = rest[: lone.start()], [*versions, lone[1]]
    if not any(each.isalpha() for each in rest):
        rest, versions = told or name, []
    return ProductName(rest, fold_product(rest), max(versions, key=len, default=""))


def fold_product(name: str) -> str:
    """What is the same in all spellings of a product's name."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())[:LONGEST_KEY].rstrip()


def fold_publisher(publisher: str) -> str:
    """What is the same in all spellings of a publisher: as of any company, without the address of
    its website and under its newest name."""
    words = fold_company(_SITE.sub("", _MARKS.sub("", publisher)))
    return _ALSO_KNOWN_AS.get(words, words)[:LONGEST_KEY].rstrip()


def _keep_version(found: re.Match[str]) -> str:
    """Of brackets that go: the version in them, which is taken out with the others."""
    versions = [each for each in _VERSION.findall(found[0]) if not _NO_VERSION.fullmatch(each)]
    return f" {versions[-1]} " if versions else " "


def _without_versions(text: str) -> tuple[str, list[str]]:
    versions: list[str] = []

    def take(found: re.Match[str]) -> str:
        before = text_before(found)
        if _is_part_of_name(before, found[1]):
            return found[0]
        versions.append(found[1].lstrip("vV"))
        return " "

    def text_before(found: re.Match[str]) -> str:
        return found.string[: found.start()].rstrip(" -(")

    text = _NAMED_VERSION.sub(take, text)
    text = _VERSION.sub(take, text)
    return _UPDATE.sub("", text), versions


def _is_part_of_name(before: str, number: str) -> bool:
    if not before or _NO_VERSION.fullmatch(number):
        return True
    if number.count(".") >= 2:
        return False
    last = before.split()[-1]
    return bool(_STANDARD.match(last)) or (last.casefold() == "windows" and number in _OF_WINDOWS)


def _tidy(text: str) -> str:
    text = re.sub(r"\(\s*\)|\[\s*\]", " ", text)
    text = re.sub(r"([(\[])\s+", r"\1", re.sub(r"\s+([)\]])", r"\1", text))
    text = re.sub(r"(?:\s[-–—])+(?=\s[-–—]\s)", "", " ".join(text.split()))
    return _LOOSE_ENDS.sub("", text).strip()
