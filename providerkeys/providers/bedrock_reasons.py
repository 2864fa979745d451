"""What a check of an AWS access key can find: the documented answers of STS and of Bedrock, and their words."""

from typing import Final

from providerkeys.providers.base import Rule
from providerkeys.providers.verdicts import Link, Reason, Verdict

KEYS: Final = Link("your IAM users’ security credentials", "https://console.aws.amazon.com/iam/home#/users")
BILLING: Final = Link("AWS Billing", "https://console.aws.amazon.com/billing/home")
_REGIONS: Final = Link("AWS Account → Regions", "https://console.aws.amazon.com/billing/home#/account")
_POLICIES: Final = Link("IAM", "https://console.aws.amazon.com/iam/home#/policies")
_MODELS: Final = Link("the Bedrock model catalog", "https://console.aws.amazon.com/bedrock/home#/model-catalog")
_QUOTAS: Final = Link("Service Quotas", "https://console.aws.amazon.com/servicequotas/home/services/bedrock/quotas")

_AGAIN: Final = "test again in a minute, or save it untested."

REASONS: Final = {
    "accepted": Reason(
        Verdict.VALID,
        "AWS accepted the key; Bedrock answers.",
        "save it. This test doesn’t check credit; see {link}.",
        BILLING,
    ),
    "accepted_root": Reason(
        Verdict.VALID,
        "AWS accepted the key; Bedrock answers. But it is the root user’s key, which may do everything.",
        "create an access key of an IAM user with Bedrock rights alone at {link}.",
        KEYS,
    ),
    "unknown_id": Reason(
        Verdict.INVALID,
        "AWS doesn’t know this access key ID: it was deleted, made inactive, or belongs to GovCloud or China.",
        "paste its ID whole, or create a new access key at {link}.",
        KEYS,
    ),
    "secret_mismatch": Reason(
        Verdict.INVALID,
        "The secret access key doesn’t match the access key ID.",
        "paste both again, or create a new access key at {link}.",
        KEYS,
    ),
    "expired": Reason(
        Verdict.INVALID,
        "AWS knows this access key, but it has expired.",
        "create a long-lived access key at {link}.",
        KEYS,
    ),
    "region_disabled": Reason(
        Verdict.FORBIDDEN,
        "Your AWS account hasn’t opted in to this region.",
        "enable it under {link}, or remove this row.",
        _REGIONS,
    ),
    "subscription": Reason(
        Verdict.FORBIDDEN,
        "AWS knows the key, but its account is not signed up for Bedrock yet.",
        "finish the account’s sign-up or choose a paid plan at {link}, then test again.",
        BILLING,
    ),
    "may_not_list": Reason(
        Verdict.LIMITED,
        "The key works, but may not list models, so its other rights are unknown.",
        "allow bedrock:ListFoundationModels and bedrock:InvokeModel* in {link}, or save it as it is.",
        _POLICIES,
    ),
    "policy": Reason(
        Verdict.LIMITED,
        "The key works, but a policy of its AWS organization keeps it from listing models in this region.",
        "ask whoever manages your AWS organization which regions are allowed; see {link}.",
        _POLICIES,
    ),
    "use_case": Reason(
        Verdict.LIMITED,
        "The key works, but its account has not sent the use case form that Anthropic’s models need.",
        "fill it in at {link}. Saving is fine.",
        _MODELS,
    ),
    "agreement": Reason(
        Verdict.LIMITED,
        "The key works, but its account’s agreement for a model is still being made.",
        "wait 15 minutes and test again; see {link}. Saving is fine.",
        _MODELS,
    ),
    "quota": Reason(
        Verdict.LIMITED,
        "The key works, but a quota of its account is reached.",
        "raise it at {link}. Saving is fine.",
        _QUOTAS,
    ),
    "clock": Reason(
        Verdict.UNREACHABLE,
        "This server’s clock is wrong, so AWS refuses what it signs. The key was not judged.",
        "ask the person who runs this server to set its clock, then test again.",
    ),
    "dns": Reason(
        Verdict.UNREACHABLE,
        "Bedrock’s address in this region could not be looked up. The key was not judged.",
        "check this server’s name resolution and that Bedrock is in this region; test again, or save it untested.",
    ),
    "model_busy": Reason(
        Verdict.UNREACHABLE, "Bedrock has a problem of its own just now. The key was not judged.", _AGAIN
    ),
}

_CLIENT: Final = (400, 401, 403)
_LATE: Final = ("Signature expired", "not yet current")

_ANYWHERE: Final = (
    Rule(status=_CLIENT, code="SignatureDoesNotMatch", says=_LATE, reason="clock"),
    Rule(status=_CLIENT, code="InvalidSignatureException", says=_LATE, reason="clock"),
    Rule(status=_CLIENT, code="RequestExpired", reason="clock"),
    Rule(status=_CLIENT, code="SignatureDoesNotMatch", reason="secret_mismatch"),
    Rule(status=_CLIENT, code="InvalidSignatureException", reason="secret_mismatch"),
    Rule(status=_CLIENT, code="ExpiredToken", reason="expired"),
    Rule(status=_CLIENT, code="ExpiredTokenException", reason="expired"),
    Rule(status=_CLIENT, code="RegionDisabledException", reason="region_disabled"),
    Rule(status=_CLIENT, code="SubscriptionRequiredException", reason="subscription"),
    Rule(status=_CLIENT, code="OptInRequired", reason="subscription"),
    Rule(status=(400, 429), code="Throttling", reason="rate_limited"),
    Rule(status=(400, 429), code="ThrottlingException", reason="rate_limited"),
    Rule(status=(400, 429), code="TooManyRequestsException", reason="rate_limited"),
)

IDENTITY_RULES: Final = (
    Rule(status=_CLIENT, code="InvalidClientTokenId", reason="unknown_id"),
    # No policy of the key can say this: it comes from one around it, and proves that the key was recognised.
    Rule(status=_CLIENT, code="AccessDenied", reason="known"),
    Rule(status=_CLIENT, code="AccessDeniedException", reason="known"),
    *_ANYWHERE,
)
"""What STS answers about the pair of id and secret. ``known``: go on to the region."""

CONTROL_RULES: Final = (
    # STS knows the pair, so what this region does not know is the account.
    Rule(status=_CLIENT, code="UnrecognizedClientException", reason="region_disabled"),
    Rule(status=_CLIENT, code="AccessDeniedException", says=("service control policy",), reason="policy"),
    Rule(status=_CLIENT, code="AccessDeniedException", reason="may_not_list"),
    Rule(status=(404,), code="FTUFormNotFilled", reason="use_case"),
    Rule(status=(404,), code="ResourceNotFoundException", says=("use case details",), reason="use_case"),
    Rule(status=_CLIENT, code="MPAgreementBeingCreated", reason="agreement"),
    Rule(status=(400, 402, 429), code="ServiceQuotaExceededException", reason="quota"),
    Rule(status=(429,), code="ModelNotReadyException", reason="model_busy"),
    Rule(status=(429,), code="ModelNotReady", reason="model_busy"),
    Rule(status=(408,), code="ModelTimeoutException", reason="model_busy"),
    Rule(status=(408,), code="ModelTimeout", reason="model_busy"),
    Rule(status=(424,), code="ModelErrorException", reason="model_busy"),
    Rule(status=(424,), code="ModelError", reason="model_busy"),
    *_ANYWHERE,
)
"""What Bedrock answers in a region, once STS knows the pair."""
