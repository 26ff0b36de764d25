"""What is recorded. The words are stable: filters, subscribers and scripts rely on them."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    SIGNED_IN = "sign_in.succeeded"
    SIGN_IN_FAILED = "sign_in.failed"
    SIGNED_OUT = "sign_in.ended"
    PASSWORD_REFUSED = "password.refused"  # noqa: S105  # a word, like those that follow
    """Or a code of a second factor: of somebody who is signed in, or in the second step of it."""
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    PASSWORD_SET = "password.set"  # noqa: S105
    PASSWORD_LINK_ISSUED = "password.link_issued"  # noqa: S105
    PASSWORD_RESET = "password.reset"  # noqa: S105
    APP_BEGUN = "factor.app_begun"
    APP_ADDED = "factor.app_added"
    APP_REMOVED = "factor.app_removed"
    PASSKEY_ADDED = "factor.passkey_added"
    PASSKEY_RENAMED = "factor.passkey_renamed"
    PASSKEY_REMOVED = "factor.passkey_removed"
    CODES_RENEWED = "factor.codes_renewed"
    FACTORS_RESET = "factor.reset"
    FACTOR_OFFER_SKIPPED = "factor.offer_skipped"
    FACTOR_RULE_SET = "factor.rule_set"
    """Of whom a tenant requires a second factor."""

    OIDC_SAVED = "single_sign_on.saved"
    OIDC_TESTED = "single_sign_on.tested"
    OIDC_SWITCHED_OFF = "single_sign_on.switched_off"
    OIDC_LINKED = "single_sign_on.linked"
    OIDC_UNLINKED = "single_sign_on.unlinked"
    OIDC_ENTERED = "single_sign_on.entered_without"
    """By an owner, though the tenant requires its identity provider."""

    INSTALL_SET_UP = "install.set_up"
    SETUP_REFUSED = "install.set_up_refused"
    TENANT_ADDED = "tenant.added"
    TENANT_REMOVED = "tenant.removed"
    NETWORK_ALLOWED = "network.allowed"
    NETWORK_WITHDRAWN = "network.withdrawn"
    KEYS_ROTATED = "keys.rotated"
    """A new key was made, or an interrupted rotation goes on."""
    SECRETS_ENCRYPTED = "keys.secrets_encrypted"
    DIGESTS_RENEWED = "keys.digests_renewed"
    KEY_REMOVED = "keys.removed"

    USER_ADDED = "user.added"
    USER_ROLE_CHANGED = "user.role_changed"
    USER_LIMITED = "user.limited"
    """To some clients, or to none of them any more."""
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_REMOVED = "user.removed"
    USER_INVITED = "user.invited"
    INVITATION_WITHDRAWN = "user.invitation_withdrawn"
    INVITATION_ACCEPTED = "user.invitation_accepted"
    SIGNED_OUT_ELSEWHERE = "user.browser_signed_out"
    SIGNED_OUT_EVERYWHERE = "user.signed_out"

    CONNECTION_SAVED = "connection.saved"
    CONNECTION_TESTED = "connection.tested"
    CONNECTION_CODE_ENTERED = "connection.code_entered"
    CONNECTION_SERVER_DECIDED = "connection.server_decided"
    CONNECTION_ENDED = "connection.ended"

    WEBHOOK_PLANNED = "webhook.planned"
    WEBHOOK_INSTALLED = "webhook.installed"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_SECRET_REVEALED = "webhook.secret_revealed"  # noqa: S105
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105

    SUBSCRIBER_ADDED = "subscriber.added"
    SUBSCRIBER_PAUSED = "subscriber.paused"
    SUBSCRIBER_RESUMED = "subscriber.resumed"
    SUBSCRIBER_DELETED = "subscriber.deleted"
    SUBSCRIBER_TESTED = "subscriber.tested"

    NOTICES_CHOSEN = "notices.chosen"
    """By a person: which notices of the portal they get, and by which channels."""

    CHANNEL_ADDED = "channel.added"
    CHANNEL_CHANGED = "channel.changed"
    CHANNEL_WORDED = "channel.worded"
    """Its messages were given other words."""
    CHANNEL_TESTED = "channel.tested"
    CHANNEL_SWITCHED_OFF = "channel.switched_off"
    CHANNEL_SWITCHED_ON = "channel.switched_on"
    CHANNEL_DELETED = "channel.deleted"

    TOKEN_MADE = "token.made"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105

    CLIENT_ADDED = "client.added"
    CLIENT_RENAMED = "client.renamed"
    CLIENT_DELETED = "client.deleted"
    ORGANIZATIONS_MAPPED = "organization.mapped"
    ORGANIZATION_UNMAPPED = "organization.unmapped"
    ORGANIZATIONS_DECIDED = "organization.decided"
    """About organizations that Tactical does not list any more."""
    AUTO_SYNC_SET = "organization.auto_sync_set"

    ASSET_EDITED = "asset.edited"
    ASSET_RELEASED = "asset.released"
    ASSETS_MERGED = "asset.merged"
    ASSETS_RETIRED = "asset.retired"
    ASSETS_RESTORED = "asset.restored"
    ASSETS_DELETED = "asset.deleted"
    ASSETS_TAGGED = "asset.tagged"
    ASSETS_UNTAGGED = "asset.untagged"
    CONFLICTS_SETTLED = "conflict.settled"
    CONFLICT_REOPENED = "conflict.reopened"

    RUN_STARTED = "run.started"
    RUN_CANCELLED = "run.cancelled"
    RUN_REVERTED = "run.reverted"
    CREATED_REMOVED = "run.created_removed"
    """Asked for: that all that the connection or a mapping created is removed."""
    PLAN_APPLIED = "plan.applied"
    PLAN_DECLINED = "plan.declined"

    ALERTS_RESOLVED = "alert.resolved"
    ALERTS_SNOOZED = "alert.snoozed"
    ALERTS_UNSNOOZED = "alert.unsnoozed"
    ALERTS_ACKNOWLEDGED = "alert.acknowledged"
    ALERTS_UNACKNOWLEDGED = "alert.unacknowledged"
    """An acknowledgement was taken back."""
    ALERTS_ASSIGNED = "alert.assigned"
    RULE_ACTED = "rule.acted"
    DELIVERIES_REPLAYED = "delivery.replayed"

    WINDOW_ADDED = "window.added"
    WINDOW_CHANGED = "window.changed"
    WINDOW_ENDED = "window.ended"
    """By a person, before its time."""
    WINDOW_DELETED = "window.deleted"
    CALENDAR_LINK_MADE = "calendar_link.made"
    CALENDAR_LINK_REVOKED = "calendar_link.revoked"
    RULES_IMPORTED = "rule.imported"
    """From a file, with windows and channels."""
    DEFAULT_RULES_TAKEN = "rule.defaults_taken"
    RULE_ADDED = "rule.added"
    RULE_CHANGED = "rule.changed"
    RULE_MOVED = "rule.moved"
    RULE_SWITCHED_ON = "rule.switched_on"
    RULE_SWITCHED_OFF = "rule.switched_off"
    RULE_DELETED = "rule.deleted"

    LIST_EXPORTED = "list.exported"
    AUDIT_PRUNED = "audit.pruned"
    """The checkpoint for rows that were older than they are kept."""
