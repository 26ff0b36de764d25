"""The audit trail in words for people: its own stay as they are for filters, scripts and files."""

from __future__ import annotations

from portal.models.assets.labels import label_column
from portal.services.audit.actions import Action

ACTIONS: dict[str, str] = {
    Action.SIGNED_IN: "Signed in",
    Action.SIGN_IN_FAILED: "Sign-in failed",
    Action.SIGNED_OUT: "Signed out",
    Action.PASSWORD_REFUSED: "Wrong password or code",
    Action.PASSWORD_SET: "Password set by an operator",
    Action.PASSWORD_LINK_ISSUED: "Link to a new password made",
    Action.PASSWORD_RESET: "Password set through a link",
    Action.APP_BEGUN: "Authenticator app: set-up begun",
    Action.APP_ADDED: "Authenticator app added",
    Action.APP_REMOVED: "Authenticator app removed",
    Action.PASSKEY_ADDED: "Passkey added",
    Action.PASSKEY_RENAMED: "Passkey renamed",
    Action.PASSKEY_REMOVED: "Passkey removed",
    Action.CODES_RENEWED: "Recovery codes renewed",
    Action.FACTORS_RESET: "Second factors removed",
    Action.FACTOR_OFFER_SKIPPED: "Signed in without setting up a second factor",
    Action.FACTOR_RULE_SET: "Rule on second factors changed",
    Action.FIRST_STEPS_SET: "First steps skipped or shown again",
    Action.OIDC_SAVED: "Single sign-on saved",
    Action.OIDC_ENTERED: "Entered without single sign-on",
    Action.INSTALL_SET_UP: "Portal set up",
    Action.SETUP_REFUSED: "Wrong token for the set-up",
    Action.KEYS_ROTATED: "Encryption keys: rotation begun",
    Action.SECRETS_ENCRYPTED: "Secrets encrypted with another key",
    Action.DIGESTS_RENEWED: "Digests of webhook secrets renewed",
    Action.SIGNED_OUT_ELSEWHERE: "Signed out in one browser",
    Action.SIGNED_OUT_EVERYWHERE: "Signed out in every browser",
    Action.USER_LIMITED: "User: clients changed",
    Action.CONNECTION_SERVER_DECIDED: "Connection: server confirmed",
    Action.AUTO_SYNC_SET: "Organization: automatic sync switched",
    Action.IGNORED_SET: "Organization: ignored, or asked about again",
    Action.ASSET_RELEASED: "Asset: edits given back to Tactical",
    Action.CREATED_REMOVED: "Removal of what was created begun",
    Action.AUDIT_PRUNED: "Old rows of the audit trail removed",
}
"""Of actions whose own words say too little."""
FACTS = {
    "slug": "short name",
    "run_id": "run",
    "by": "through",
    "is_new": "new key",
    "encrypts": "key that encrypts",
    "is_first_factor": "first second factor",
    "required_of": "required of",
    "removes_factors": "removes second factors",
    "expires_at": "valid until",
    "sso_since": "single sign-on required since",
    "second_factor_words": "words for a second factor",
}


def label_action(action: str) -> str:
    """`Signed in` for `sign_in.succeeded`; of an action that speaks for itself, `Client renamed`
    for `client.renamed`."""
    return ACTIONS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def label_fact(name: str) -> str:
    """`short name` for `slug`."""
    return FACTS.get(name) or label_column(name)
