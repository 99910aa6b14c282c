"""The weights of a score's parts, from the settings: RISK_WEIGHT_PAYER, _CODING, _DOC and so on, which sum to 1."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from risk.combine import WEIGHTS, BadWeights, check_weights

NAMES = {name: "DOC" if name == "documentation" else name.upper() for name in WEIGHTS}


def get_weights() -> dict[str, float]:
    """Get the weight of each part; ImproperlyConfigured, in a sentence, where they do not sum to 1."""
    given = settings.RISK_WEIGHTS
    try:
        weights = {name: float(given.get(key, WEIGHTS[name])) for name, key in NAMES.items()}
        check_weights(weights)
    except BadWeights as bad:
        raise ImproperlyConfigured(f"{bad} Set {', '.join(f'RISK_WEIGHT_{key}' for key in NAMES.values())}.") from bad
    except ValueError as bad:
        raise ImproperlyConfigured("A RISK_WEIGHT_ of the environment is no number.") from bad
    return weights


def check_risk_weights(**_: Any) -> list[CheckMessage]:
    try:
        get_weights()
    except ImproperlyConfigured as bad:
        return [Error(str(bad), id="risk.E001")]
    return []
