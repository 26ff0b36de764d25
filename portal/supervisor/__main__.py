from __future__ import annotations

import click

from portal.supervisor.commands import COMMANDS

if __name__ == "__main__":
    click.Group("portal", commands={str(command.name): command for command in COMMANDS})()
