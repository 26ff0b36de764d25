"""Settings that change how the server answers."""

from __future__ import annotations

from dataclasses import dataclass

from tactical_simulator.transport.spelling import Spelling

WEB_VERSION = "0.0.203"
SERVER_VERSION = "1.5.1"
EXTENSION = "tactical"
"""Where the application keeps its state."""


@dataclass(slots=True)
class Settings:
    """`alert_template` is the server's default; with `live_pace` long lists take as long as on a
    live server (see `pace`), and `spelling` says how JSON is written."""

    beta_enabled: bool = True
    demo: bool = False
    hosted: bool = False
    block_local_user_logon: bool = False
    notify_on_info_alerts: bool = False
    notify_on_warning_alerts: bool = True
    alert_template: int | None = None
    live_pace: bool = False
    spelling: Spelling = Spelling.COMPACT
    allowed_hosts: tuple[str, ...] = ()
