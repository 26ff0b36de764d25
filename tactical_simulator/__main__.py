"""`python -m tactical_simulator`: a simulated Tactical server until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from threading import Event

from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.seeding import Credentials
from tactical_simulator.simulated import SimulatedTactical
from tactical_simulator.transport.spelling import Spelling

KEY_VARIABLE = "TACTICAL_DEMO_API_KEY"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        spec, credentials = _spec(options), _credentials(options)
        server = SimulatedTactical(
            spec, credentials=credentials, host=options.host, port=options.port
        )
    except (OSError, ValueError) as error:
        print(f"The simulated Tactical server does not start: {error}", file=sys.stderr)
        return 1
    with server:
        server.control.server.set(live_pace=options.live_pace, spelling=options.spelling)
        ready = {"url": server.url, "agents": spec.agents, "pid": os.getpid()}
        if options.show_credentials:
            ready |= {name: getattr(credentials, name) for name in credentials.__slots__}
        print(json.dumps(ready), flush=True)
        stop.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tactical_simulator", description=__doc__)
    defaults = FleetSpec()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    for name in ("seed", "clients", "sites", "agents", "windows", "linux", "titles", "alerts"):
        parser.add_argument(f"--{name}", type=int, default=getattr(defaults, name))
    parser.add_argument("--epoch", type=float, help="what generated times count from")
    parser.add_argument("--frozen", action="store_true", help="agents never check in")
    parser.add_argument("--no-beta", action="store_true", help="the beta API is off")
    parser.add_argument(
        "--live-pace", action="store_true", help="lists take as long as on a live server"
    )
    parser.add_argument(
        "--spelling", choices=list(Spelling), default=Spelling.COMPACT, help="how JSON is written"
    )
    parser.add_argument("--api-key", help=f"default: ${KEY_VARIABLE}, else a new one")
    parser.add_argument(
        "--show-credentials", action="store_true", help="print them on the ready line"
    )
    return parser


def _spec(options: argparse.Namespace) -> FleetSpec:
    return FleetSpec(
        seed=options.seed,
        clients=options.clients,
        sites=options.sites,
        agents=options.agents,
        windows=options.windows,
        linux=options.linux,
        titles=options.titles,
        alerts=options.alerts,
        beta_enabled=not options.no_beta,
        frozen=options.frozen,
        epoch=options.epoch,
    )


def _credentials(options: argparse.Namespace) -> Credentials:
    key = options.api_key or os.environ.get(KEY_VARIABLE)
    if key:
        return Credentials(api_key=key)
    options.show_credentials = True  # a generated key must be told
    return Credentials()


if __name__ == "__main__":
    sys.exit(main())
