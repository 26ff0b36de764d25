"""`python -m tactical_simulator.mail_box`: takes mail until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from threading import Event, Thread

from tactical_simulator.mail_box.box import Box
from tactical_simulator.mail_box.pages import create_pages
from tactical_simulator.mail_box.receiving import MailServer
from tactical_simulator.transport.server import Server


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tactical_simulator.mail_box", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="of the page")
    parser.add_argument("--smtp-port", type=int, required=True)
    options = parser.parse_args(arguments)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    box = Box()
    try:
        mails = MailServer(box, options.host, options.smtp_port)
        pages = Server(create_pages(box), options.host, options.port, None)
    except OSError as error:
        print(f"The mail box does not start: {error}", file=sys.stderr)
        return 1
    pages.start()
    Thread(target=mails.serve_forever, daemon=True).start()
    stop.wait()
    mails.shutdown()
    pages.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
