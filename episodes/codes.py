"""What codes mean, for pages and answers: the loaded lists' descriptions, else the product's own short words.

Read once and kept in the cache until a list is loaded anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from claims.words import PLACE_OF_SERVICE
from episodes.models.codelist import CodeKind, CodeList
from marb.core.cache import EVERYBODY, cached
from remits.words import GROUP, PROVIDER_ADJUSTMENT, REASON

OWN: Final[Mapping[str, Mapping[str, str]]] = {
    CodeKind.CARC: REASON,
    CodeKind.ADJUSTMENT_GROUP: GROUP,
    CodeKind.PLACE_OF_SERVICE: PLACE_OF_SERVICE,
    CodeKind.PROVIDER_ADJUSTMENT: PROVIDER_ADJUSTMENT,
}


@cached("code", "words", depends=("code",))
def read_words(scope: Sequence[int], kind: str) -> dict[str, Any]:
    """Read a loaded list: {code: description}."""
    return dict(CodeList.objects.filter(kind=kind).values_list("code", "description"))


def words_of(kind: str) -> dict[str, str]:
    """Get what codes of a kind mean: {code: description}."""
    return {**OWN.get(kind, {}), **read_words((EVERYBODY,), kind)}
