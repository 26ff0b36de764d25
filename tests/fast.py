"""Where the tests are that need no server: `make test-fast` imports no other files."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
FAST = (
    "test_",
    "accounts/test_passwords.py",
    "accounts/test_tenant_removal.py",
    "alerts/test_answer.py",
    "api/test_filters.py",
    "api/test_tokens.py",
    "assets/test_reading.py",
    "audit/test_everything_is_recorded.py",
    "audit/test_pages.py",
    "audit/test_values.py",
    "canary/test_kinds.py",
    "canary/test_watch.py",
    "channels/",
    "cli/test_help.py",
    "deliveries/test_any_input.py",
    "deliveries/test_group_commit.py",
    "deliveries/test_outages.py",
    "egress/",
    "events/test_delivery.py",
    "helpdesks/",
    "integrations/test_breaker.py",
    "integrations/test_options.py",
    "jobs/test_queue.py",
    "lists/",
    "migrations/test_migrations.py",
    "notices/test_detection.py",
    "oidc/test_provider.py",
    "organizations/",
    "past/test_pages.py",
    "past/test_walking.py",
    "rules/test_file.py",
    "rules/test_matching.py",
    "runs/test_schedule.py",
    "simulator/",
    "software/",
    "supervisor/test_logs.py",
    "supervisor/test_slow_clients.py",
    "supervisor/test_web.py",
    "sync/identity/",
    "sync/test_software_spellings.py",
    "tactical/",
    "tenant_guard/test_commands_and_jobs.py",
    "tickets/test_interleavings.py",
    "web/accounts/test_factor_rules.py",
    "web/accounts/test_sessions.py",
    "web/accounts/test_throttle.py",
    "web/dashboard/",
    "web/first_hour/test_help.py",
    "web/lists/test_undo.py",
    "web/look/",
    "web/runs/test_run_descriptions.py",
    "web/safety/test_clients.py",
    "web/safety/test_static_files.py",
    "web/test_template_helpers.py",
    "webhook/test_plan.py",
    "windows/",
)
"""Folders, files, and how names of files begin."""


def may_be_fast(path: Path) -> bool:
    """Whether the file or the folder is named, lies in one that is, or holds one."""
    name = path.relative_to(TESTS).as_posix()
    return path == TESTS or any(
        name.startswith(each) or each.startswith(f"{name}/") for each in FAST
    )
