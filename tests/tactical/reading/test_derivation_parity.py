"""The facts derived from raw `wmi_detail` are those that a server derives, whatever stands in it.

The simulated server has a derivation of its own, written apart from ours from the same source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.tactical.reading import wmi
from portal.tactical.reading.text import clean_fact, clean_facts, join_facts
from tactical_simulator.fleet import derive

TEXTS = st.sampled_from(
    [
        "",
        " ",
        "None",
        "Dell Inc.",
        "LENOVO",
        "ThinkPad T14",
        "To Be Filled By O.E.M.",
        "Intel(R) Core(TM)",
        "Microsoft Remote Display Adapter",
        "NVIDIA",
        "IDE",
        "USB",
        "10.0.0.1",
        "fe80::1",
        "500107862016",
    ]
)
VALUES = TEXTS | st.none() | st.sampled_from([0, 4, 8, -1, 500107862016, 9223372036854776000])
ADDRESSES = st.none() | st.lists(TEXTS, max_size=3) | TEXTS
OF_CPU = ["Name", "NumberOfCores", "NumberOfLogicalProcessors"]
KEYS: dict[str, list[str]] = {
    "bios": ["SerialNumber"],
    "comp_sys": ["Model", "SystemFamily"],
    "comp_sys_prod": ["Vendor", "Version"],
    "base_board": ["Product", "Manufacturer"],
    "cpu": OF_CPU,
    "graphics": ["Caption"],
    "disk": ["Caption", "Size", "InterfaceType"],
}


def devices(keys: list[str]) -> st.SearchStrategy[Any]:
    parts = st.dictionaries(st.sampled_from(keys), VALUES, max_size=3)
    return st.lists(st.lists(parts, max_size=3) | st.none(), max_size=3) | st.none() | TEXTS


ADAPTERS = st.lists(
    st.lists(st.dictionaries(st.just("IPAddress"), ADDRESSES), max_size=2), max_size=3
)
WINDOWS = st.fixed_dictionaries(
    {},
    optional={
        "network_config": ADAPTERS,
        **{section: devices(keys) for section, keys in KEYS.items()},
    },
)
LISTED = st.none() | st.lists(TEXTS, max_size=3)
POSIX = st.fixed_dictionaries(
    {},
    optional={
        "serialnumber": VALUES,
        "make_model": VALUES,
        "cpus": LISTED,
        "gpus": LISTED,
        "disks": LISTED,
        "local_ips": LISTED,
    },
)

PAIRS: list[tuple[Callable[[str, Any], Any], Callable[[bool, Any], Any], Callable[[Any], Any]]] = [
    (wmi.serial_number, derive.serial_number, clean_fact),
    (wmi.make_model, derive.make_model, clean_fact),
    (wmi.cpu_models, derive.cpu_model, clean_facts),
    (wmi.local_ips, derive.local_ips, clean_fact),
    (wmi.graphics, derive.graphics, join_facts),
    (wmi.physical_disks, derive.physical_disks, clean_facts),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "clean"), PAIRS, ids=[ours.__name__ for ours, _, _ in PAIRS]
)
@pytest.mark.parametrize(("plat", "details"), [("windows", WINDOWS), ("linux", POSIX)])
def test_both_derivations_agree(
    ours: Callable[[str, Any], Any],
    theirs: Callable[[bool, Any], Any],
    clean: Callable[[Any], Any],
    plat: str,
    details: st.SearchStrategy[Any],
) -> None:
    @given(details)
    def agree(detail: Any) -> None:
        assert ours(plat, detail) == clean(theirs(plat != "windows", detail))

    agree()
